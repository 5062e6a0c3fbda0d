/** The user of the app.
 * It is read from disk at once and signed in behind the first screen; nothing waits for it. */

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
  /** The last user of this phone, whose gallery is drawn.
   * Another user replaces it only at the request of a person. */
  userId: string | null;
  /** Whether there is an access token, so that calls may be made. */
  isReady: boolean;
  /** Null for an anonymous user, whom only this phone can sign in. */
  email?: string | null;
  /** Whether the session was refused permanently. The person decides: sign in, or start anew. */
  isLost?: boolean;
  /** The anonymous user whom this one replaced on this phone.
   * The cards of that user here stay in sight. */
  replaced?: string | null;
}

const LAST_USER = 'user';
const perhaps = v.fallback(v.nullable(v.string()), null);
const id = v.pipe(v.string(), v.minLength(1));
// The first builds wrote an id alone.
const lastUser = v.union([
  v.object({ userId: id, email: v.optional(perhaps, null), replaced: v.optional(perhaps, null) }),
  v.pipe(id, v.transform((userId) => ({ userId, email: null, replaced: null }))),
]);
const NO_USER = { userId: null, email: null, replaced: null, isReady: false, isLost: false };
const LONGEST_PAUSE = 15_000;
/** The number of tries for a locked disk, half a minute in all. Then the app works in memory. */
const ATTEMPTS_AT_DISK = 6;

// A page rendered in advance (web output `static`) has no user, and is hydrated unchanged.
export const session = createStore<Session>({ ...NO_USER, ...readDisk(LAST_USER, lastUser) }, NO_USER);
export const useSession = () => useStore(session);

/** Sign in, and again whenever the session is lost for the moment.
 * Returns a function that stops it. */
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
    // Not inside of the callback: auth-js must not be called before the callback returns.
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
  // Another tab has signed out on purpose, so the user of this tab is no longer here.
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

/** Return the user whom `userId` replaces, or null. A user with an address is not replaced:
 * it can come back, and then finds its data here. The disk has the changes of another tab. */
function replacedBy(userId: string, onDisk: v.InferOutput<typeof lastUser> | null): string | null {
  if (onDisk?.userId === userId) return onDisk.replaced;
  const { userId: last, email } = session.get();
  return email || onDisk?.userId !== last ? null : last;
}

async function signIn(isPatient: boolean): Promise<User | null> {
  // Do not check first whether we are online: a browser that reports no can be wrong.
  const { data, error } = await supabase.auth.getSession();
  // A session that could not be renewed now still belongs to this user; a new anonymous user would
  // lose the gallery.
  if (error) return null;
  // auth-js accepts a session without a user from the disk, and would return it at every attempt.
  if (data.session) return data.session.user ?? (await supabase.auth.refreshSession()).data.user;
  // The disk was locked for a moment: its session is not lost, and no new user may replace it.
  if (storage.hasComeBack() || (isPatient && storage.isLocked())) return null;
  // Read the disk: another tab may have signed out on purpose.
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

/** Replace a user whose session is lost, at the person's request.
 * Returns false if the server could not be reached. */
export async function startAnew(): Promise<boolean> {
  const user = await aloneAmongTabs(async () => {
    const { data } = await supabase.auth.getSession(); // from another tab that was faster
    return data.session?.user ?? (await signInAnonymously());
  }).catch(() => null);
  if (user) become(user);
  return user !== null;
}

/** Sign this phone out, also without a connection, and no other phone. The app then starts anew. */
export async function signOut(): Promise<void> {
  eraseDisk(LAST_USER);
  await supabase.auth.signOut({ scope: 'local' });
}

/** Run `work` in one tab at a time:
 * two tabs that sign in at once would become two users on one disk. */
async function aloneAmongTabs<T>(work: () => Promise<T>): Promise<T> {
  if (Platform.OS !== 'web' || !navigator.locks) return work();
  let hasBegun = false;
  const begin = () => {
    hasBegun = true;
    return work();
  };
  return navigator.locks.request(`${NAME}.sign-in`, begin).catch((error: unknown) => {
    if (hasBegun) throw error;
    return work(); // a browser that forbids storage forbids locks, too, and no tab shares a user
  });
}
