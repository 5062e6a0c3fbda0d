import { AuthApiError, AuthRetryableFetchError } from '@supabase/supabase-js';

import { whyNot } from '@/texts/account';

import { type Auth, enterCode, sendCode } from './codes';

const auth = { updateUser: jest.fn(), signInWithOtp: jest.fn(), verifyOtp: jest.fn() };
const client = auth as unknown as Auth;
const refusal = (code: string) => ({ data: {}, error: new AuthApiError('', 422, code) });
jest.mock('@/lib/captcha', () => ({ withCaptcha: async () => ({ captchaToken: 'solved' }) }));

test('an anonymous user takes an address, and no other user is made for it', async () => {
  auth.updateUser.mockResolvedValue({ data: {}, error: null });
  auth.signInWithOtp.mockResolvedValue({ data: {}, error: null });
  expect(await sendCode(client, 'save', 'a@b.c')).toBeNull();
  expect(auth.updateUser).toHaveBeenCalledWith({ email: 'a@b.c' });
  expect(await sendCode(client, 'sign_in', 'a@b.c')).toBeNull();
  expect(auth.signInWithOtp).toHaveBeenCalledWith({
    email: 'a@b.c',
    options: { shouldCreateUser: false, captchaToken: 'solved' },
  });
});

test.each([
  [{ data: { session: {} }, error: null }, null],
  [{ data: { session: null, user: null }, error: null }, 'no_session'],
  [refusal('otp_expired'), 'otp_expired'],
  [{ data: {}, error: new AuthRetryableFetchError('', 500) }, 'unreachable'],
])('%j of verifyOtp means %p', async (answer, reason) => {
  auth.verifyOtp.mockResolvedValue(answer);
  expect(await enterCode(client, 'save', 'a@b.c', '123456')).toBe(reason);
  expect(auth.verifyOtp).toHaveBeenCalledWith({ email: 'a@b.c', token: '123456', type: 'email_change' });
});

test('a reason of a later server is a sentence, too', () => {
  expect(whyNot('of_tomorrow')).toMatch(/\.$/);
});
