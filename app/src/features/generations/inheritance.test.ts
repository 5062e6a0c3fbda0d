import { inheritUnsent, withLeft } from './inheritance';
import { EMPTY } from './merge';
import * as outbox from './outbox';
import { item } from './samples.test.data';

const put = (id: string, changes: Partial<outbox.Entry> = {}) =>
  outbox.put({
    ...{ id, model: 'preview', input: { prompt: 'a fox' }, userId: 'one', requestedAt: '2026-01-01T10:00:00Z' },
    ...{ isTried: false, isWithdrawn: false, delay: 'offline', refusal: null, ...changes },
  });

beforeEach(() => localStorage.clear());

test('what one user left unsent is a card to retry for the next, and is not sent for that one', () => {
  put('a');
  put('refused', { refusal: { code: 'too_large', message: 'no' } });
  put('withdrawn', { isWithdrawn: true });
  put('of another', { userId: 'other' });
  inheritUnsent('one', 'two');
  expect(outbox.ofUser('two').map(({ id, delay, refusal }) => [id, delay, refusal?.code])).toEqual([
    ['a', null, 'other_account'],
    ['refused', null, 'too_large'],
  ]);
  expect(outbox.ofUser('one')).toEqual([]);
  expect(outbox.ofUser('other')).toHaveLength(1);
});

test('a picture that was left stands below, once, and not when it was deleted', () => {
  const [own, left, gone] = [item('succeeded', { id: 'own' }), item('succeeded', { id: 'left' }), item('succeeded', { id: 'gone' })];
  const gallery = { ...EMPTY, items: [own], gone: ['gone'] };
  expect(withLeft(gallery, [left, own, gone])).toEqual([own, left]);
});
