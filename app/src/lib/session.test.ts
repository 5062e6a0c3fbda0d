import { keepSignedIn, session, signOut, startAnew } from './session';
import { storage } from './storage';

const mockAuth = {
  getSession: jest.fn(),
  signInAnonymously: jest.fn(),
  onAuthStateChange: jest.fn(),
  signOut: jest.fn(),
  refreshSession: jest.fn(),
};
const mockCaptcha = jest.fn<Promise<string | null>, []>();
jest.mock('./captcha', () => ({ withCaptcha: async () => ({ captchaToken: await mockCaptcha() }) }));
jest.mock('./supabase', () => ({
  supabase: {
    get auth() {
      return mockAuth; // read late: imports run before the line above
    },
  },
}));
jest.useFakeTimers();

type Say = (event: string, current: { user: { id: string; email?: string } } | null) => void;
let say: Say = () => {};
let stop: () => void;

beforeEach(() => {
  Object.values(mockAuth).forEach((call) => call.mockReset());
  localStorage.clear();
  mockCaptcha.mockResolvedValue('solved');
  session.set({ userId: null, isReady: false });
  mockAuth.onAuthStateChange.mockImplementation((callback: Say) => {
    say = callback;
    return { data: { subscription: { unsubscribe: () => {} } } };
  });
  stop = keepSignedIn();
});
afterEach(() => stop());

test('a new phone gets an anonymous user, and keeps trying until it has one', async () => {
  mockAuth.getSession.mockResolvedValue({ data: { session: null }, error: null });
  mockAuth.signInAnonymously.mockResolvedValueOnce({ data: { user: null } }).mockResolvedValue({ data: { user: { id: 'u' } } });
  say('INITIAL_SESSION', null);
  await jest.advanceTimersByTimeAsync(0);
  expect(session.get()).toEqual({ userId: null, isReady: false });
  await jest.advanceTimersByTimeAsync(1000);
  expect(mockAuth.signInAnonymously.mock.calls).toEqual([1, 2].map(() => [{ options: { captchaToken: 'solved' } }]));
  expect(session.get()).toMatchObject({ userId: 'u', isReady: true });
});

test('a session that cannot be renewed now is not replaced by a new user', async () => {
  mockAuth.getSession.mockResolvedValue({ data: { session: null }, error: new Error('no connection') });
  say('INITIAL_SESSION', null);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(mockAuth.signInAnonymously).not.toHaveBeenCalled();
});

test('the last user is remembered while the session is out of reach', () => {
  say('SIGNED_IN', { user: { id: 'u' } });
  say('SIGNED_OUT', null);
  expect(session.get()).toMatchObject({ userId: 'u', isReady: false });
});

test('a session that comes back without a word is taken up', async () => {
  mockAuth.getSession.mockResolvedValue({ data: { session: { user: { id: 'u' } } }, error: null });
  say('INITIAL_SESSION', null);
  await jest.advanceTimersByTimeAsync(0);
  expect(session.get()).toMatchObject({ userId: 'u', isReady: true });
});

describe('a session that is lost', () => {
  const NOTHING = { data: { session: null }, error: null };
  beforeEach(async () => {
    say('SIGNED_IN', { user: { id: 'u' } });
    mockAuth.getSession.mockResolvedValue(NOTHING);
    mockAuth.signInAnonymously.mockResolvedValue({ data: { user: { id: 'new' } } });
    say('SIGNED_OUT', null);
    await jest.advanceTimersByTimeAsync(60_000);
  });

  test('is said, and no other user takes its place', () => {
    expect(session.get()).toMatchObject({ userId: 'u', isReady: false, isLost: true });
    expect(mockAuth.signInAnonymously).not.toHaveBeenCalled();
  });

  test('is over when the user signs in again', () => {
    say('SIGNED_IN', { user: { id: 'u', email: 'fox@example.com' } });
    expect(session.get()).toMatchObject({ userId: 'u', isReady: true, isLost: false, email: 'fox@example.com' });
  });

  test('is replaced when a person says so, by a user who knows whom it replaced', async () => {
    expect(await startAnew()).toBe(true);
    expect(session.get()).toMatchObject({ userId: 'new', isReady: true, isLost: false, replaced: 'u' });
    expect(JSON.parse(localStorage.getItem('pilotlight.1.user') ?? '')).toEqual({ userId: 'new', email: null, replaced: 'u' });
  });

  test('cannot be replaced without a connection, and stays', async () => {
    mockAuth.signInAnonymously.mockResolvedValue({ data: { user: null } });
    expect(await startAnew()).toBe(false);
    expect(session.get()).toMatchObject({ userId: 'u', isLost: true });
  });
});

test('who signs out is followed by a new user, in every tab', async () => {
  say('SIGNED_IN', { user: { id: 'u', email: 'fox@example.com' } });
  mockAuth.getSession.mockResolvedValue({ data: { session: null }, error: null });
  mockAuth.signInAnonymously.mockResolvedValue({ data: { user: { id: 'new' } } });
  mockAuth.signOut.mockImplementation(async () => say('SIGNED_OUT', null));
  await signOut();
  await jest.advanceTimersByTimeAsync(0);
  expect(mockAuth.signOut).toHaveBeenCalledWith({ scope: 'local' });
  expect(session.get()).toMatchObject({ userId: 'new', isReady: true, email: null, replaced: null });
});

test('a user with an address can come back, so the next user takes no place', () => {
  say('SIGNED_IN', { user: { id: 'u', email: 'fox@example.com' } });
  say('SIGNED_IN', { user: { id: 'other', email: 'owl@example.com' } });
  expect(session.get()).toMatchObject({ userId: 'other', replaced: null });
});

test('an address that is added is noted, and the user is the same', () => {
  say('SIGNED_IN', { user: { id: 'u', email: '' } });
  const before = session.get();
  say('TOKEN_REFRESHED', { user: { id: 'u', email: '' } });
  expect(session.get()).toBe(before);
  say('SIGNED_IN', { user: { id: 'u', email: 'fox@example.com' } });
  expect(session.get()).toMatchObject({ userId: 'u', email: 'fox@example.com', replaced: null });
});

test.each([[true], [false]])('a disk that could not be read for a moment loses no session (a known user: %p)', async (isKnown) => {
  if (isKnown) localStorage.setItem('pilotlight.1.user', JSON.stringify({ userId: 'u' }));
  localStorage.setItem('session', 'u');
  const own = localStorage.getItem.bind(localStorage);
  let reads = 0;
  jest.spyOn(localStorage, 'getItem').mockImplementation((key) => {
    if ((reads += 1) === 1) throw new Error('database is locked');
    return own(key);
  });
  // auth-js treats an unreadable value as a missing one.
  mockAuth.getSession.mockImplementation(async () => {
    const id = storage.getItem('session');
    return { data: { session: id && { user: { id } } }, error: null };
  });
  say('INITIAL_SESSION', null);
  await jest.advanceTimersByTimeAsync(0);
  expect(session.get().isLost ?? false).toBe(false);
  await jest.advanceTimersByTimeAsync(1000);
  jest.mocked(localStorage.getItem).mockRestore();
  expect(mockAuth.signInAnonymously).not.toHaveBeenCalled();
  expect(session.get()).toMatchObject({ userId: 'u', isReady: true });
});

test.each([[''], [{ userId: '' }], [{ userId: 7 }], [[]], ['{']])('a last user on disk that is %j is none', async (bad) => {
  localStorage.setItem('pilotlight.1.user', bad === '{' ? bad : JSON.stringify(bad));
  mockAuth.getSession.mockResolvedValue({ data: { session: null }, error: null });
  mockAuth.signInAnonymously.mockResolvedValue({ data: { user: { id: 'u' } } });
  say('INITIAL_SESSION', null);
  await jest.advanceTimersByTimeAsync(0);
  expect(session.get()).toMatchObject({ userId: 'u', isReady: true });
});

test.each([['here', undefined], ['in another tab', 'new']])('a user who signed out %s leaves nothing to the next one', async (_where, next) => {
  say('SIGNED_IN', { user: { id: 'u' } });
  localStorage.removeItem('pilotlight.1.user');
  mockAuth.getSession.mockReturnValue(new Promise(() => {}));
  say('SIGNED_OUT', null);
  expect(session.get()).toMatchObject({ userId: null, isReady: false });
  if (next) localStorage.setItem('pilotlight.1.user', JSON.stringify({ userId: next, replaced: null }));
  say('SIGNED_IN', { user: { id: 'new' } });
  expect(session.get()).toMatchObject({ userId: 'new', replaced: null });
});

test('a session on disk without its user gets it again from the server', async () => {
  localStorage.setItem('pilotlight.1.user', JSON.stringify({ userId: 'u' }));
  mockAuth.getSession.mockResolvedValue({ data: { session: { access_token: 't' } }, error: null });
  mockAuth.refreshSession.mockResolvedValueOnce({ data: { user: null } }).mockResolvedValue({ data: { user: { id: 'u' } } });
  say('INITIAL_SESSION', { access_token: 't' } as never);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(session.get()).toMatchObject({ userId: 'u', isReady: true });
  expect(mockAuth.signInAnonymously).not.toHaveBeenCalled();
});

describe('a disk that stays locked', () => {
  let isLocked: boolean;
  beforeEach(() => {
    localStorage.setItem('session', 'u');
    const own = localStorage.getItem.bind(localStorage);
    isLocked = true;
    jest.spyOn(localStorage, 'getItem').mockImplementation((key) => {
      if (isLocked) throw new Error('database is locked');
      return own(key);
    });
    mockAuth.getSession.mockImplementation(async () => {
      const id = storage.getItem('session');
      return { data: { session: id && { user: { id } } }, error: null };
    });
    mockAuth.signInAnonymously.mockImplementation(async () => {
      storage.setItem('session', 'new');
      return { data: { user: { id: 'new' } } };
    });
    say('INITIAL_SESSION', null);
  });
  afterEach(() => {
    jest.mocked(localStorage.getItem).mockRestore();
    storage.removeItem('session');
  });

  test('for more than one attempt makes no new user', async () => {
    await jest.advanceTimersByTimeAsync(5000);
    isLocked = false;
    await jest.advanceTimersByTimeAsync(15_000);
    expect(mockAuth.signInAnonymously).not.toHaveBeenCalled();
    expect(session.get()).toMatchObject({ userId: 'u', isReady: true });
  });

  test('for long does not keep the app from working, and its user is not overwritten', async () => {
    await jest.advanceTimersByTimeAsync(300_000);
    isLocked = false;
    expect(session.get()).toMatchObject({ userId: 'new', isReady: true });
    expect(localStorage.getItem('session')).toBe('u');
  });
});
