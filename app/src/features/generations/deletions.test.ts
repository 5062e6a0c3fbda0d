import { remove } from './api';
import { finish, note, ofUser, takeBack } from './deletions';
import * as outbox from './outbox';

jest.mock('./api', () => ({ remove: jest.fn(async () => {}) }));

const wanted = (id: string, replacedBy: string | null = null) => ({ id, userId: 'u', at: 0, isOnServer: true, replacedBy });

beforeEach(() => {
  localStorage.clear();
  jest.mocked(remove).mockReset().mockResolvedValue(undefined);
});

test('it is on disk until the server has heard of it', async () => {
  note(wanted('a'));
  jest.mocked(remove).mockRejectedValueOnce(new Error('offline'));
  await expect(finish(wanted('a'))).rejects.toThrow();
  expect(ofUser('u').map(({ id }) => id)).toEqual(['a']);
  expect(ofUser('v')).toEqual([]);
  await finish(wanted('a'));
  expect(ofUser('u')).toEqual([]);
});

test('what was brought back is not deleted, and what is deleted cannot be brought back', async () => {
  note(wanted('a'));
  expect(takeBack('a')).toBe(true);
  expect(ofUser('u')).toEqual([]);
  note(wanted('a'));
  await finish(wanted('a'));
  expect(takeBack('a')).toBe(false);
});

test('one that is tried again goes when the server has its successor, whose photos it holds', async () => {
  outbox.put({
    ...{ id: 'b', model: 'preview', input: {}, userId: 'u', requestedAt: '2026-01-01T10:00:00Z' },
    ...{ isTried: false, isWithdrawn: false, delay: null, refusal: null },
  });
  note(wanted('a', 'b'));
  await expect(finish(wanted('a', 'b'))).rejects.toThrow();
  expect(remove).not.toHaveBeenCalled();
  outbox.erase('b');
  await finish(wanted('a', 'b'));
  expect(remove).toHaveBeenCalledWith('a');
});
