/** The user of the app. Known at once from disk, signed in behind the first screen, and never waited for. */

import type { User } from '@supabase/supabase-js';
import { Platform } from 'react-native';
import * as v from 'valibot';

import { readDisk, writeDisk } from './disk';
import { onForeground, onOnline } from './foreground';
import { NAME } from './name';
import { createStore, useStore } from './store';
import { supabase } from './supabase';

export interface Session {
  /** The last user of this phone: whose gallery to draw. Until `isReady`, the server may refuse it and another takes its place. */
  userId: string | null;
  /** There is an access token: calls may be made. */
  isReady: boolean;
  /** The user whose session was permanently refused and whom a new user replaced; the new user sends the unsent requests. */
  replaced?: string | null;
}

const LAST_USER = 'user';
const LONGEST_PAUSE = 15_000;

const NO_USER: Session = { userId: null, isReady: false };
// A page that was rendered in advance (web output `static`) knows no user, and is taken up as it is.
export const session = createStore<Session>({ userId: readDisk(LAST_USER, v.string()), isReady: false }, NO_USER);
export const useSession = () => useStore(session);

/** Signs in, and again whenever the session is lost; returns the way to stop. */
export function keepSignedIn(): () => void {
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isTrying = false;

  const attempt = async () => {
    if (isTrying || session.get().isReady) return;
    isTrying = true;
    clearTimeout(timer);
    const user = await aloneAmongTabs(signIn).catch(() => null);
    isTrying = false;
    failures = user ? 0 : failures + 1;
    if (user) become(user);
    else timer = setTimeout(attempt, Math.min(LONGEST_PAUSE, 500 * 2 ** Math.min(failures, 10)));
  };

  const { data } = supabase.auth.onAuthStateChange((_event, current) => {
    become(current?.user ?? null);
    // Not from inside the callback: auth-js must not be called before it returns.
    if (!current) setTimeout(attempt, 0);
  });
  const stops = [onForeground(() => void attempt()), onOnline(() => void attempt())];
  return () => {
    clearTimeout(timer);
    data.subscription.unsubscribe();
    stops.forEach((stop) => stop());
  };
}

function become(user: User | null): void {
  const known = session.get();
  if (user) writeDisk(LAST_USER, user.id);
  const isSame = !user || user.id === known.userId;
  const next = {
    userId: user?.id ?? known.userId,
    isReady: user !== null,
    // A user who signs in by name may come back, and then finds the unsent requests.
    replaced: isSame ? known.replaced : user.is_anonymous ? known.userId : null,
  };
  if (!isSame || next.isReady !== known.isReady) session.set(next);
}

async function signIn(): Promise<User | null> {
  // Not asked first: whether we are online. A browser that says no can be wrong.
  const { data, error } = await supabase.auth.getSession();
  // A session that could not be renewed now is still this user's; a new anonymous user would lose the gallery.
  if (data.session || error) return data.session?.user ?? null;
  return (await supabase.auth.signInAnonymously()).data.user;
}

/** Two tabs that sign in at once would become two users on one disk. */
async function aloneAmongTabs<T>(work: () => Promise<T>): Promise<T> {
  if (Platform.OS !== 'web' || !navigator.locks) return work();
  let hasBegun = false;
  const begin = () => {
    hasBegun = true;
    return work();
  };
  return navigator.locks.request(`${NAME}.sign-in`, begin).catch((error: unknown) => {
    if (hasBegun) throw error;
    return work(); // where storage is forbidden, locks are, too, and no tab shares a user
  });
}
