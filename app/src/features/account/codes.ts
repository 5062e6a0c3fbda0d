/** One-time codes by e-mail. Each call returns null on success, or else the reason of the failure.
 * The words for the reasons are in texts/account.ts. */

import { type AuthError, isAuthRetryableFetchError } from '@supabase/supabase-js';

import { withCaptcha } from '@/lib/captcha';
import type { supabase } from '@/lib/supabase';

export type Auth = typeof supabase.auth;

/** `save` gives an anonymous user an address. The others sign in to an account that has one. */
export type Purpose = 'save' | 'sign_in' | 'delete';

export async function sendCode(auth: Auth, purpose: Purpose, email: string): Promise<string | null> {
  const { error } =
    purpose === 'save'
      ? await auth.updateUser({ email })
      : await auth.signInWithOtp({ email, options: { shouldCreateUser: false, ...(await withCaptcha()) } });
  return error && reasonOf(error);
}

export async function enterCode(auth: Auth, purpose: Purpose, email: string, token: string): Promise<string | null> {
  const type = purpose === 'save' ? 'email_change' : 'email';
  const { data, error } = await auth.verifyOtp({ email, token, type });
  if (error) return reasonOf(error);
  // If a second address must confirm, too, the first code is accepted and gives no session.
  return data.session ? null : 'no_session';
}

const reasonOf = (error: AuthError): string => (isAuthRetryableFetchError(error) ? 'unreachable' : (error.code ?? 'unknown'));
