import { keysOnDisk } from '@/lib/disk';

import * as outbox from './outbox';

const entry = (id: string, changes: Partial<outbox.Entry> = {}): outbox.Entry => ({
  ...{ id, model: 'preview', input: { prompt: 'a fox' }, userId: 'u', requestedAt: '2026-01-01T10:00:00Z' },
  ...{ isTried: false, isWithdrawn: false, delay: null, refusal: null, ...changes },
});
const ids = (userId: string | null) => outbox.ofUser(userId).map(({ id }) => id);

beforeEach(() => {
  localStorage.clear();
});

test('an entry survives the app', () => {
  outbox.put(entry('a'));
  expect(outbox.ofUser('u')).toEqual([entry('a')]);
});

test('an answered entry stays gone, also after a late change', () => {
  outbox.put(entry('a'));
  outbox.erase('a');
  outbox.change('a', { isTried: true });
  expect(ids('u')).toEqual([]);
});

test('another user of the phone does not see it', () => {
  outbox.put(entry('a'));
  expect(ids('somebody else')).toEqual([]);
});

test('a request from before the first sign-in belongs to the first user who signs in', () => {
  outbox.put(entry('a', { userId: null }));
  expect(ids('u')).toEqual(['a']);
});

test('two tabs do not overwrite each other', () => {
  outbox.put(entry('a'));
  localStorage.setItem('pilotlight.1.outbox.b', JSON.stringify(entry('b')));
  outbox.change('a', { isTried: true });
  expect(ids('u').sort()).toEqual(['a', 'b']);
});

test('rubbish on the disk is not an entry', () => {
  localStorage.setItem('pilotlight.1.outbox.x', '{"half');
  expect(ids('u')).toEqual([]);
});

test('a full disk costs the memory of an entry, not the entry', () => {
  const write = jest.spyOn(localStorage, 'setItem').mockImplementation(() => {
    throw new Error('QuotaExceededError');
  });
  const warn = jest.spyOn(console, 'warn').mockImplementation();
  outbox.put(entry('a'));
  expect(ids('u')).toEqual(['a']);
  write.mockRestore();
  warn.mockRestore();
});

test('the requests of a deleted user go, those that cannot be read, too, and no others', () => {
  const [deleted, other] = ['01a21938-7f5a-7bad-9d14-bf94e7d52d31', '01a21938-7f5a-7bad-9d14-bf94e7d52d32'];
  outbox.put(entry('a', { userId: deleted }));
  outbox.put(entry('b', { userId: other }));
  for (const userId of [deleted, other]) localStorage.setItem(`pilotlight.1.outbox.${userId}`, JSON.stringify({ userId }));
  outbox.eraseOf(deleted);
  expect(keysOnDisk('').sort()).toEqual(['outbox.b', `unreadable.outbox.${other}`]);
});
