import { drop, EMPTY, fromJob, merge, reconcile, timeOfRequest } from './merge';
import { AT, item, job, sending } from './samples.test.data';
import type { Item } from './types';

const gallery = (...items: Item[]) => merge(EMPTY, items);
const statusOf = (items: Item[]) => items.map(({ status }) => status);

const LIFE = [
  sending(),
  item('queued', { updated_at: `${AT}1.000001+00:00` }),
  item('running', { updated_at: `${AT}1.000002+00:00` }),
  item('waiting', { updated_at: `${AT}1.000003+00:00`, progress: 0.4 }),
  item('succeeded', { updated_at: `${AT}1.000004+00:00` }),
];

function permutations<T>(list: T[]): T[][] {
  if (list.length < 2) return [list];
  return list.flatMap((first, index) => permutations(list.toSpliced(index, 1)).map((rest) => [first, ...rest]));
}

test('every order of the same messages ends the same', () => {
  for (const order of permutations(LIFE)) {
    const twice = [...order, ...order];
    expect(statusOf(twice.reduce((known, next) => merge(known, [next]), EMPTY).items)).toEqual(['succeeded']);
  }
});

test.each([
  ['a message of the same microsecond changes nothing', LIFE[2], LIFE[2], 'running'],
  ['a job that is retried still looks under way', LIFE[2], item('queued', { updated_at: `${AT}9+00:00` }), 'running'],
  ['the newer of two messages of one rank wins', LIFE[2], LIFE[3], 'waiting'],
  ['an older one of the same rank loses', LIFE[3], LIFE[2], 'waiting'],
  ['what has ended never changes', LIFE[4], item('failed', { updated_at: `${AT}9+00:00` }), 'succeeded'],
] as const)('%s', (_name, known, incoming, status) => {
  expect(known && incoming && merge(gallery(known), [incoming]).items[0]?.status).toBe(status);
});

test('the server’s time does not move a card', () => {
  const [placed] = merge(gallery(sending()), [item('queued', { created_at: `${AT}9+00:00` })]).items;
  expect(placed?.requestedAt).toBe(sending().requestedAt);
});

test('an unchanged card stays the same object, so it is not drawn again', () => {
  const known = gallery(...LIFE.slice(1, 2), sending('b'));
  expect(merge(known, [sending('b')]).items[1]).toBe(known.items[1]);
});

test('a late message does not bring back what was deleted', () => {
  expect(merge(drop(gallery(item('succeeded')), ['a']), [item('succeeded')]).items).toEqual([]);
});

test('an ended job without a generation was deleted', () => {
  expect(fromJob(job('succeeded', { generation: null }))).toBeNull();
});

test('a new request is on top, also when the clock of the phone is behind', () => {
  const known = gallery(item('succeeded'));
  const time = timeOfRequest(known, Date.parse('2020-01-01'));
  expect(merge(known, [{ ...sending('b'), requestedAt: time }]).items[0]?.id).toBe('b');
});

const FAR = { at: '2025-01-01T10:00:00+00:00', id: 'far' };
const NEAR = { at: `${AT}0+00:00`, id: 'near' };

describe('the server’s truth', () => {
  const truth = { page: [] as Item[], jobs: [] as Item[], unknown: [] as string[], cursor: null, asOf: EMPTY };

  test('does not drop what the server has not stored yet', () => {
    const known = gallery(sending(), item('queued', { id: 'b' }));
    expect(reconcile(known, { ...truth, asOf: known }).items).toHaveLength(2);
  });

  test('drops what was deleted on another device', () => {
    const known = gallery(item('succeeded'));
    expect(reconcile(known, { ...truth, asOf: known }).items).toEqual([]);
  });

  test('keeps what ended while the question was under way', () => {
    const now = gallery(item('succeeded'));
    expect(reconcile(now, { ...truth, asOf: gallery(sending()) }).items).toHaveLength(1);
  });

  test('keeps what is on an older page', () => {
    const known = gallery(item('succeeded'));
    const asked = { ...truth, page: [item('succeeded', { id: 'b' })], cursor: { at: `${AT}5+00:00`, id: 'b' }, asOf: known };
    expect(reconcile(known, asked).items).toHaveLength(2);
  });

  test('drops a job that the server does not know', () => {
    const known = gallery(item('running'));
    expect(reconcile(known, { ...truth, unknown: ['a'], asOf: known }).items).toEqual([]);
  });

  test('goes on paging from where it was, unless there is a gap', () => {
    const known = { ...gallery(item('succeeded')), cursor: FAR };
    const near = { ...truth, cursor: NEAR, asOf: known };
    expect(reconcile(known, { ...near, page: known.items }).cursor).toBe(FAR);
    expect(reconcile(known, { ...near, page: [item('succeeded', { id: 'b' })] }).cursor).toBe(NEAR);
  });
});

test('what is known already is the same gallery, so nothing is drawn', () => {
  const known = gallery(sending('b'), item('succeeded'));
  const asOf = known;
  expect(merge(known, [item('running'), item('succeeded')])).toBe(known);
  expect(reconcile(known, { page: [item('succeeded')], jobs: [], unknown: [], cursor: null, asOf })).toBe(known);
});
