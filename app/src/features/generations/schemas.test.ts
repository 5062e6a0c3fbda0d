import { parsed } from '@/lib/parse';
import { readDisk, writeDisk } from '@/lib/disk';

import * as outbox from './outbox';
import { fromJob } from './merge';
import { item, job } from './samples.test.data';
import * as schemas from './schemas';

beforeEach(() => localStorage.clear());

test.each([
  ['null', null],
  ['no output', { ...item('succeeded'), output: undefined }],
  ['an unknown status', { ...item('running'), status: 'moderating' }],
  ['a time that is none', { ...item('running'), requestedAt: 'yesterday' }],
  ['an input that is none', { ...item('running'), input: null }],
])('a card on disk with %s is dropped, and the others stay', (_name, bad) => {
  writeDisk('gallery.u', [bad, item('failed', { id: 'b' })]);
  expect(readDisk('gallery.u', schemas.items)).toEqual([item('failed', { id: 'b' })]);
});

test.each([[{}], ['text'], [null], [7]])('a gallery on disk that is %p is none', (bad) => {
  writeDisk('gallery.u', bad);
  expect(readDisk('gallery.u', schemas.items)).toBeNull();
});

test('every card of the server goes to disk and back', () => {
  const cards = (['queued', 'running', 'waiting', 'succeeded', 'failed', 'canceled'] as const).map((status) => item(status));
  writeDisk('gallery.u', cards);
  expect(readDisk('gallery.u', schemas.items)).toEqual(cards);
});

test('fields that this version does not know are ignored', () => {
  expect(parsed(schemas.job, { ...job('succeeded'), mood: 'good' })).toEqual(job('succeeded'));
});

test.each([
  ['kind', { ...job('succeeded'), generation: { output: [{ kind: 'smell', path: 'p' }, null, 7], error: null } }, []],
  ['blurhash', { ...job('succeeded'), generation: { output: [{ kind: 'image', path: 'p', blurhash: 'x', width: -1 }] } }, [expect.objectContaining({ path: 'p', blurhash: null, width: null })]],
])('an output with an unreadable %s locks no card', (_name, said, output) => {
  const known = parsed(schemas.job, said);
  expect(known && fromJob(known)).toMatchObject({ status: 'succeeded', output });
});

test('an unknown status is a card under way', () => {
  const known = parsed(schemas.job, { ...job('running'), status: 'moderating', progress: 12 });
  expect(known && fromJob(known)).toMatchObject({ status: 'waiting', progress: null });
});

test.each([
  ['a null input', { input: null }],
  ['another id', { id: 'b' }],
  ['nothing it needs', { requestedAt: undefined }],
])('an unsent request with %s is set aside, not dropped', (_name, changes) => {
  const kept = { id: 'a', model: 'm', input: {}, userId: 'u', requestedAt: '2026-01-01T10:00:00Z', isTried: false, isWithdrawn: false, delay: null, refusal: null };
  const text = JSON.stringify({ ...kept, ...changes });
  localStorage.setItem('pilotlight.1.outbox.a', text);
  expect(outbox.ofUser('u')).toEqual([]);
  expect(localStorage.getItem('pilotlight.1.unreadable.outbox.a')).toBe(text);
  expect(localStorage.getItem('pilotlight.1.outbox.a')).toBeNull();
});

test.each([[undefined], ['later'], [7], [[]]])('a success whose generation is %j is no deletion: its card stays in sight', (generation) => {
  const known = parsed(schemas.job, { ...job('succeeded'), generation });
  expect(known && fromJob(known)).toMatchObject({ status: 'succeeded', output: [] });
});

test('a refusal without words is the refusal that its code says', () => {
  expect(parsed(schemas.refused, { error: { code: 'insufficient_credits', message: null } })).toEqual({ error: { code: 'insufficient_credits', message: '' } });
});
