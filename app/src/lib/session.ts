/** The user of the app. Known at once from disk, signed in behind the first screen, and never waited for. */

import type { User } from '@supabase/supabase-js';
import { Platform } from 'react-native';
import * as v from 'valibot';

import { withCaptcha } from './captcha';
import { eraseDisk, readDisk, writeDisk } from './disk';
import { onForeground, onOnline } from './foreground';
import { NAME } from './name';
import { storage } from './storage';
import { createStore, useStore } from './store';
import { supabase } from './supabase';

export interface Session {
  /** The last user of this phone: whose gallery to draw. Another user takes its place only when a person asks for it. */
  userId: string | null;
  /** There is an access token: calls may be made. */
  isReady: boolean;
  /** Null for an anonymous user, whom only this phone can sign in. */
  email?: string | null;
  /** The session was refused permanently. The person decides: sign in, or start anew. */
  isLost?: boolean;
  /** The anonymous user whose place this one took on this phone: what is left of it here stays in sight. */
  replaced?: string | null;
}

const LAST_USER = 'user';
const perhaps = v.fallback(v.nullable(v.string()), null);
const id = v.pipe(v.string(), v.minLength(1));
// An id alone is what the first builds wrote.
const lastUser = v.union([
  v.object({ userId: id, email: v.optional(perhaps, null), replaced: v.optional(perhaps, null) }),
  v.pipe(id, v.transform((userId) => ({ userId, email: null, replaced: null }))),
]);
const NO_USER = { userId: null, email: null, replaced: null, isReady: false, isLost: false };
const LONGEST_PAUSE = 15_000;
/** Attempts that wait for a locked disk, half a minute in all; then the app works in memory. */
const ATTEMPTS_AT_DISK = 6;

// A page that was rendered in advance (web output `static`) knows no user, and is taken up as it is.
export const session = createStore<Session>({ ...NO_USER, ...readDisk(LAST_USER, lastUser) }, NO_USER);
export const useSession = () => useStore(session);

/** Signs in, and again whenever the session is lost for the moment; returns the way to stop. */
export function keepSignedIn(): () => void {
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isTrying = false;

  const attempt = async () => {
    if (isTrying || session.get().isReady) return;
    isTrying = true;
    clearTimeout(timer);
    const user = await aloneAmongTabs(() => signIn(failures < ATTEMPTS_AT_DISK)).catch(() => null);
    isTrying = false;
    failures = user ? 0 : failures + 1;
    if (user) become(user);
    else if (!session.get().isLost) timer = setTimeout(attempt, Math.min(LONGEST_PAUSE, 500 * 2 ** Math.min(failures, 10)));
  };

  const { data } = supabase.auth.onAuthStateChange((_event, current) => {
    become(current?.user ?? null);
    // Not from inside the callback: auth-js must not be called before it returns.
    if (!current?.user) setTimeout(attempt, 0);
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
  const onDisk = readDisk(LAST_USER, lastUser);
  // Another tab has signed out on purpose; the user of this one is no longer here.
  if (!user && known.userId && !onDisk && !storage.isLocked()) return session.set(NO_USER);
  const isSame = user === null || user.id === known.userId;
  const next: Session = {
    ...known,
    isReady: user !== null,
    ...(user && { userId: user.id, email: user.email || null, isLost: false }),
    ...(!isSame && { replaced: replacedBy(user.id, onDisk) }),
  };
  if (isSame && next.isReady === known.isReady && next.email === known.email) return;
  const { userId, email = null, replaced = null } = next;
  if (user) writeDisk(LAST_USER, { userId, email, replaced });
  session.set(next);
}

/** A user with an address can come back, and then finds what was left here. The disk knows what another tab did. */
function replacedBy(userId: string, onDisk: v.InferOutput<typeof lastUser> | null): string | null {
  if (onDisk?.userId === userId) return onDisk.replaced;
  const { userId: last, email } = session.get();
  return email || onDisk?.userId !== last ? null : last;
}

async function signIn(isPatient: boolean): Promise<User | null> {
  // Not asked first: whether we are online. A browser that says no can be wrong.
  const { data, error } = await supabase.auth.getSession();
  // A session that could not be renewed now is still this user's; a new anonymous user would lose the gallery.
  if (error) return null;
  // auth-js takes a session from the disk that has lost its user, and would give it at every attempt.
  if (data.session) return data.session.user ?? (await supabase.auth.refreshSession()).data.user;
  // A disk that was locked for a moment: its session is neither lost nor to be replaced by that of a new user.
  if (storage.hasComeBack() || (isPatient && storage.isLocked())) return null;
  // The disk is asked: another tab may have signed out on purpose.
  if (readDisk(LAST_USER, lastUser)) {
    session.set({ ...session.get(), isReady: false, isLost: true });
    return null;
  }
  if (session.get().userId) session.set(NO_USER);
  return signInAnonymously();
}

async function signInAnonymously(): Promise<User | null> {
  const { data } = await supabase.auth.signInAnonymously({ options: await withCaptcha() });
  return data.user;
}

/** In the place of a user whose session is lost, because the person asked for it. False: the server could not be reached. */
export async function startAnew(): Promise<boolean> {
  const user = await aloneAmongTabs(async () => {
    const { data } = await supabase.auth.getSession(); // of another tab that was faster
    return data.session?.user ?? (await signInAnonymously());
  }).catch(() => null);
  if (user) become(user);
  return user !== null;
}

/** Signs this phone out, also without a connection, and no other phone; the app then begins anew. */
export async function signOut(): Promise<void> {
  eraseDisk(LAST_USER);
  await supabase.auth.signOut({ scope: 'local' });
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
