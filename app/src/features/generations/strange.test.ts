/** Any part of an answer or of the disk may have any value, at any depth:
 * no function that draws a card throws. */

import { parsed } from '@/lib/parse';

import { draftFrom, draftOf } from './draft';
import { fieldsOf, inputOf, isComplete } from './fields';
import { EMPTY, fromJob, merge, timeOfRequest } from './merge';
import { statusLine } from './messages';
import * as outbox from './outbox';
import { file, item, job } from './samples.test.data';
import * as schemas from './schemas';
import { firstOf, isPaid, type Item, pictureOf, promptOf } from './types';

const STRANGE = [null, undefined, 7, -1, 1e300, NaN, true, '', 'moderating', [], {}, [null], [[]], { a: { b: null } }];

/** Every copy of a value in which one part is strange. */
function* spoiled(value: unknown): Generator<unknown> {
  yield* STRANGE;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    for (const strange of spoiled(part)) {
      yield Array.isArray(value) ? value.map((known, index) => (String(index) === name ? strange : known)) : { ...value, [name]: strange };
    }
  }
}

function draw(items: Item[]): void {
  const gallery = merge(merge(EMPTY, items), [item('queued', { id: 'another' })]);
  timeOfRequest(gallery, 0);
  for (const card of gallery.items) {
    expect([statusLine(card), promptOf(card)]).toEqual([expect.any(String), expect.any(String)]);
    draftOf(card, []);
    if (card.status === 'succeeded') card.output.map(pictureOf);
  }
}

const film = { ...file('u/a/0.mp4', { kind: 'video', thumb: 'u/a/0.webp', duration: 4, token: 't', thumb_token: 't' }) };
const ended = job('succeeded', { generation: { output: [film, { kind: 'text', text: 'words' }], error: null } });

test.each([
  ['a success', ended],
  ['a failure', job('failed')],
  ['one under way', job('running', { progress: 0.5 })],
])('of the server: %s', (_name, said) => {
  for (const strange of spoiled(said)) {
    const known = parsed(schemas.job, strange);
    draw(known ? [fromJob(known) ?? item('queued')] : []);
    parsed(schemas.gallery, { page: [strange], cursor: strange, unfinished: strange, asked: [said] });
  }
});

test('of the disk: cards and unsent requests', () => {
  const cards = [fromJob(ended), item('failed'), item('running', { progress: 0.5 })];
  for (const strange of spoiled(cards)) draw(parsed(schemas.items, strange) ?? []);
  const entry = { id: 'a', model: 'm', input: { prompt: 'a fox' }, userId: 'u', requestedAt: '2026-01-01T10:00:00Z', isTried: true, isWithdrawn: false, delay: 'offline', refusal: { code: 'c', message: 'm' } };
  for (const strange of spoiled(entry)) {
    const known = parsed(schemas.entry, strange);
    draw(known ? [outbox.toItem(known)] : []);
  }
});

test('of the server or the disk: models and the account', () => {
  const properties = { prompt: { type: 'string', maxLength: 9 }, image: { type: 'string', format: 'image' }, style: { type: 'string', enum: ['oil'] }, count: { type: 'integer', minimum: 1, maximum: 4, default: 1 } };
  const models = [{ id: 'm', title: 'M', description: 'D', kind: 'image', cost: 1, included: false, input_schema: { type: 'object', required: ['prompt'], properties } }];
  for (const strange of spoiled(models)) {
    const model = firstOf(parsed(schemas.models, strange) ?? []);
    const fields = fieldsOf(model);
    if (model) draftFrom(item('succeeded'), { id: 'p', uri: '', path: 'p' }, [model], 'image');
    for (const value of STRANGE) isComplete(fields, inputOf(fields, 'a fox', { style: value, count: value, image: value }));
    for (const field of fields) if (field.kind === 'number') expect(field.step).toBeGreaterThan(0);
  }
  for (const strange of spoiled({ credits: 1, is_paid: false, paid_until: '2026-01-01T10:00:00Z' })) {
    const account = parsed(schemas.account, strange);
    if (account) isPaid(account, 0);
  }
});
