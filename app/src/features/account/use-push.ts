/** A push when a generation took long.
 * The app requests the permission at the first long one, once, and never at launch. */

import { useRouter } from 'expo-router';
import { useEffect } from 'react';
import { Platform } from 'react-native';
import * as v from 'valibot';

import { isPending, useGallery } from '@/features/generations';
import { readDisk, writeDisk } from '@/lib/disk';
import { onPushTapped, pushToken } from '@/lib/push';
import { useSession } from '@/lib/session';
import { supabase } from '@/lib/supabase';
import { ACCOUNT } from '@/texts/account';

/** Milliseconds after which a generation is long:
 * well before the server's 30 seconds, and longer than a picture of a fast model. */
export const LONG = 10_000;
const ASKED = 'push_asked';

export function usePush(): void {
  const router = useRouter();
  const { userId, isReady } = useSession();
  const isWaiting = useGallery().items.some(isPending);
  const user = isReady ? userId : null;

  // A device belongs to the user who registered it last, and is forgotten after 60 days.
  useEffect(() => {
    if (user) void register(false);
  }, [user]);

  useEffect(() => {
    if (!user || !isWaiting) return;
    const timer = setTimeout(() => void register(true), LONG);
    return () => clearTimeout(timer);
  }, [user, isWaiting]);

  useEffect(() => onPushTapped((id) => router.push({ pathname: '/generation/[id]', params: { id } })), [router]);
}

/** Unregister this device.
 *
 * The caller does not wait for it, so that a sign-out needs no connection. A failed call is not
 * repeated: it would need the token of a session that has ended. The next user of this phone
 * registers the device, and then it no longer belongs to this user.
 */
export async function unregister(): Promise<void> {
  try {
    // This call is made before the sign-out: auth-js handles calls in order.
    const { data } = await supabase.auth.getSession();
    const token = data.session && (await pushToken(ACCOUNT.channel, false));
    if (!token) return;
    await supabase.rpc('unregister_device', { p_token: token }).setHeader('Authorization', `Bearer ${data.session.access_token}`);
  } catch (error) {
    console.warn('push.not_unregistered', error);
  }
}

async function register(isLong: boolean): Promise<void> {
  const mayAsk = isLong && readDisk(ASKED, v.boolean()) !== true;
  if (isLong && !mayAsk) return;
  if (mayAsk) writeDisk(ASKED, true);
  try {
    const token = await pushToken(ACCOUNT.channel, mayAsk);
    if (token) await supabase.rpc('register_device', { p_token: token, p_platform: Platform.OS });
  } catch (error) {
    // No credentials, no connection, or an emulator: the next start tries again.
    console.warn('push.not_registered', error);
  }
}
