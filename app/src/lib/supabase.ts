/** The only client. Its session lives on disk and is renewed while the app is in front. */

import 'expo-sqlite/localStorage/install';

import { createClient, isAuthApiError } from '@supabase/supabase-js';
import { AppState, Platform } from 'react-native';

import { boundedFetch } from './bounded-fetch';

// Expo puts these values in at build time, and only where the names are written out.
export const SUPABASE_URL = required('EXPO_PUBLIC_SUPABASE_URL', process.env.EXPO_PUBLIC_SUPABASE_URL);
const PUBLISHABLE_KEY = required(
  'EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY',
  process.env.EXPO_PUBLIC_SUPABASE_PUBLISHABLE_KEY,
);

// A cold function is slow, not dead; whoever calls one asks again meanwhile.
const LONGEST_COLD_START = 45_000;

export const supabase = createClient(SUPABASE_URL, PUBLISHABLE_KEY, {
  auth: { storage: localStorage, autoRefreshToken: true, persistSession: true, detectSessionInUrl: false },
  global: { fetch: call },
});

async function call(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const url = String(input);
  const response = await boundedFetch(input, init, url.includes('/functions/v1/') ? LONGEST_COLD_START : undefined);
  if (response.status === 401 && !url.includes('/auth/v1/')) void replaceToken();
  return response;
}

/** The token was revoked, its user is gone, or the clock of this phone is wrong and it has expired unnoticed. */
async function replaceToken(): Promise<void> {
  const { error } = await supabase.auth.refreshSession();
  // auth-js keeps a session until its token expires by this phone's clock, but a server that refuses both is done with it.
  if (isAuthApiError(error) && [400, 401, 403].includes(error.status)) await supabase.auth.signOut({ scope: 'local' });
}

// A browser tells auth-js itself; a phone suspends timers in the background.
if (Platform.OS !== 'web') {
  AppState.addEventListener('change', (state) => {
    void (state === 'active' ? supabase.auth.startAutoRefresh() : supabase.auth.stopAutoRefresh());
  });
}

function required(name: string, value: string | undefined): string {
  if (!value) throw new Error(`${name} is not set. Copy app/.env.example to app/.env and fill it in.`);
  return value;
}
