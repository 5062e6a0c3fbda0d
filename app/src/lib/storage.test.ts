import { setExpendable, storage } from './storage';

const warn = jest.spyOn(console, 'warn').mockImplementation();

beforeEach(() => localStorage.clear());
afterEach(() => {
  jest.restoreAllMocks();
  jest.spyOn(console, 'warn').mockImplementation();
  setExpendable(() => false);
  storage.keys().forEach((key) => storage.removeItem(key));
  warn.mockClear();
});

const forbid = (...methods: ('setItem' | 'getItem' | 'removeItem')[]) =>
  methods.forEach((method) =>
    jest.spyOn(localStorage, method).mockImplementation(() => {
      throw new Error('SecurityError');
    }),
  );

test('where storage is forbidden, memory takes its place', () => {
  forbid('setItem', 'getItem', 'removeItem');
  storage.setItem('a', '1');
  expect([storage.getItem('a'), storage.keys(), storage.isOnDisk('a')]).toEqual(['1', ['a'], false]);
  storage.removeItem('a');
  expect([storage.getItem('a'), storage.keys()]).toEqual([null, []]);
});

test('where even the name throws, memory takes its place', () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'localStorage');
  Object.defineProperty(globalThis, 'localStorage', { configurable: true, get: () => { throw new Error('SecurityError'); } });
  storage.setItem('a', '1');
  expect([storage.getItem('a'), storage.keys()]).toEqual(['1', ['a']]);
  Object.defineProperty(globalThis, 'localStorage', own ?? {});
});

test('what a full disk refused is newer than what it has', () => {
  storage.setItem('a', 'old');
  forbid('setItem');
  storage.setItem('a', 'new');
  expect(storage.getItem('a')).toBe('new');
  jest.restoreAllMocks();
  storage.setItem('a', 'newest');
  expect([storage.getItem('a'), storage.isOnDisk('a')]).toEqual(['newest', true]);
});

test('a full disk loses what the server can give again before it refuses a session', () => {
  storage.setItem('cache', 'x'.repeat(100));
  setExpendable((key) => key === 'cache');
  const original = localStorage.setItem.bind(localStorage);
  jest.spyOn(localStorage, 'setItem').mockImplementation((key, value) => {
    if (localStorage.getItem('cache') !== null) throw new Error('QuotaExceededError');
    original(key, value);
  });
  storage.setItem('session', '1');
  expect([storage.isOnDisk('session'), storage.getItem('cache')]).toEqual([true, null]);
});

test('what could not be read is not overwritten unseen', () => {
  localStorage.setItem('a', 'old');
  forbid('getItem');
  storage.getItem('a');
  jest.restoreAllMocks();
  storage.setItem('a', 'new');
  expect([storage.getItem('a'), localStorage.getItem('a')]).toEqual(['new', 'old']);
  storage.removeItem('a');
  expect([storage.getItem('a'), localStorage.getItem('a')]).toEqual([null, null]);
});
