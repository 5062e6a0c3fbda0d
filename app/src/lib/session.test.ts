import { keepSignedIn, session } from './session';

const mockAuth = {
  getSession: jest.fn(),
  signInAnonymously: jest.fn(),
  onAuthStateChange: jest.fn(),
};
jest.mock('./supabase', () => ({
  supabase: {
    get auth() {
      return mockAuth; // read late: imports run before the line above
    },
  },
}));
jest.useFakeTimers();

type Say = (event: string, current: { user: { id: string; is_anonymous?: boolean } } | null) => void;
let say: Say = () => {};
let stop: () => void;

beforeEach(() => {
  Object.values(mockAuth).forEach((call) => call.mockReset());
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
  mockAuth.signInAnonymously.mockResolvedValueOnce({ data: { user: null } }).mockResolvedValue({ data: { user: { id: 'u', is_anonymous: true } } });
  say('INITIAL_SESSION', null);
  await jest.advanceTimersByTimeAsync(0);
  expect(session.get()).toEqual({ userId: null, isReady: false });
  await jest.advanceTimersByTimeAsync(1000);
  expect(mockAuth.signInAnonymously).toHaveBeenCalledTimes(2);
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

test.each([
  ['a new anonymous user takes the place of a refused one', true, 'refused'],
  ['a user who signs in by name replaces no other user', false, null],
])('%s', (_name, is_anonymous, replaced) => {
  session.set({ userId: 'refused', isReady: false });
  say('SIGNED_IN', { user: { id: 'next', is_anonymous } });
  expect(session.get()).toEqual({ userId: 'next', isReady: true, replaced });
});
