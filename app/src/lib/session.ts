/** Who is using the app. Known at once from disk, signed in behind the first screen, and never waited for. */

import { onlineManager } from '@tanstack/react-query';

import { readDisk, writeDisk } from './disk';
import { onForeground, onOnline } from './foreground';
import { createStore, useStore } from './store';
import { supabase } from './supabase';

export interface Session {
  /** The last user of this phone: whose gallery to draw. Until `isReady`, the server may refuse it and another takes its place. */
  userId: string | null;
  /** There is an access token: calls may be made. */
  isReady: boolean;
}

const LAST_USER = 'user';
const LONGEST_PAUSE = 15_000;

export const session = createStore<Session>({ userId: lastUser(), isReady: false });
export const useSession = () => useStore(session);

function lastUser(): string | null {
  const userId = readDisk(LAST_USER);
  return typeof userId === 'string' ? userId : null;
}

/** Signs in, and again whenever the session is lost; returns the way to stop. */
export function keepSignedIn(): () => void {
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isTrying = false;

  const attempt = async () => {
    if (isTrying || session.get().isReady) return;
    isTrying = true;
    clearTimeout(timer);
    const isSignedIn = await signIn().catch(() => false);
    isTrying = false;
    failures = isSignedIn ? 0 : failures + 1;
    if (!isSignedIn) timer = setTimeout(attempt, Math.min(LONGEST_PAUSE, 500 * 2 ** Math.min(failures, 10)));
  };

  const { data } = supabase.auth.onAuthStateChange((_event, current) => {
    const userId = current?.user.id ?? null;
    if (userId) writeDisk(LAST_USER, userId);
    const known = session.get();
    const next = { userId: userId ?? known.userId, isReady: userId !== null };
    if (next.userId !== known.userId || next.isReady !== known.isReady) session.set(next);
    // Not from inside the callback: auth-js must not be called before it returns.
    if (!userId) setTimeout(attempt, 0);
  });
  const stops = [onForeground(() => void attempt()), onOnline(() => void attempt())];
  return () => {
    clearTimeout(timer);
    data.subscription.unsubscribe();
    stops.forEach((stop) => stop());
  };
}

async function signIn(): Promise<boolean> {
  if (!onlineManager.isOnline()) return false;
  const { data, error } = await supabase.auth.getSession();
  if (data.session) return true;
  // A session that could not be renewed now is still this user's; a new anonymous user would lose the gallery.
  if (error) return false;
  const { error: refused } = await supabase.auth.signInAnonymously();
  return !refused;
}
