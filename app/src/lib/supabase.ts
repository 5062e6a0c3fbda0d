/** The client. Its session lives on disk and is renewed while the app is in front. */

import { createClient, isAuthRetryableFetchError } from '@supabase/supabase-js';
import { AppState, Platform } from 'react-native';

import { mendAnswer } from './auth-answers';
import { boundedFetch } from './bounded-fetch';
import { storage } from './storage';

// Expo inserts these values at build time, and only where the names are written out.
export const SUPABASE_URL = required('EXPO_PUBLIC_SUPABASE_URL', process.env.EXPO_PUBLIC_SUPABASE_URL);
export const PUBLISHABLE_KEY = required(
  'EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY',
  process.env.EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY,
);

// Milliseconds. A cold function is slow, not dead; the caller sends a second request beside it.
const LONGEST_COLD_START = 45_000;
const REPLACE_EVERY = 30_000;

export const supabase = createClient(SUPABASE_URL, PUBLISHABLE_KEY, {
  auth: { storage, autoRefreshToken: true, persistSession: true, detectSessionInUrl: false },
  global: { fetch: call },
});

/** A client for a person who is not the user of this browser. Its session ends with the page. */
export const createVisitor = () =>
  createClient(SUPABASE_URL, PUBLISHABLE_KEY, {
    auth: { storageKey: 'visitor', autoRefreshToken: false, persistSession: false, detectSessionInUrl: false },
    global: { fetch: call },
  });

async function call(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const url = String(input);
  const response = await boundedFetch(input, init, isSlow(url) ? LONGEST_COLD_START : undefined);
  if (response.status === 401 && !url.includes('/auth/v1/')) {
    void replaceToken(new Headers(init?.headers).get('Authorization')).catch(() => {});
  }
  return mendAnswer(url, response);
}

/** Whether a call may be slow: functions may be cold, and a photo may go over a slow connection. */
const isSlow = (url: string) => url.includes('/functions/v1/') || url.includes('/storage/v1/object/inputs/');

let replacedAt = 0;

/** Replace a refused token: it was revoked, its user is gone, or the clock of this phone is wrong
 * and it expired unnoticed. */
async function replaceToken(authorization: string | null): Promise<void> {
  const refused = await tokens();
  // A late answer to an older token, or one that no token can change, must not use up a valid one.
  if (authorization !== `Bearer ${refused?.access_token}` || Date.now() - replacedAt < REPLACE_EVERY) return;
  replacedAt = Date.now();
  const { error } = await supabase.auth.refreshSession(refused);
  if (!error || isAuthRetryableFetchError(error)) return;
  // auth-js keeps a session whose token looks valid to this phone. If the server refuses both
  // tokens, the session is over.
  if ((await tokens())?.refresh_token === refused?.refresh_token) await supabase.auth.signOut({ scope: 'local' });
}

const tokens = async () => (await supabase.auth.getSession()).data.session ?? undefined;

// In a browser auth-js follows the foreground itself; a phone suspends timers in the background.
if (Platform.OS !== 'web') {
  AppState.addEventListener('change', (state) => {
    void (state === 'active' ? supabase.auth.startAutoRefresh() : supabase.auth.stopAutoRefresh());
  });
}

function required(name: string, value: string | undefined): string {
  if (!value) throw new Error(`${name} is not set: write it into .env, beside app.json.`);
  return value;
}
