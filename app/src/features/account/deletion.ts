/** The end of an account: first on the server, then on this phone.
 * A phone that dies in between finishes at its next start. */

import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import * as v from 'valibot';

import { forgetUser } from '@/features/generations';
import { eraseDisk, readDisk, writeDisk } from '@/lib/disk';
import { signOut, useSession } from '@/lib/session';
import { supabase } from '@/lib/supabase';

import { forgetCodes } from './use-code';

const DELETING = 'deleting';

/** Return whether the account is deleted.
 * After false it may be deleted or not, and a retry is safe. */
export async function deleteAccount(client: typeof supabase, userId: string): Promise<boolean> {
  // Choose the token here: another tab may sign another user in at this moment.
  const { data } = await client.auth.getSession();
  if (data.session?.user.id !== userId) return false;
  const call = client.rpc('delete_account').setHeader('Authorization', `Bearer ${data.session.access_token}`);
  return !(await call).error;
}

/** Delete the user of this phone; the app then starts anew. */
export async function deleteOwnAccount(userId: string): Promise<boolean> {
  writeDisk(DELETING, userId);
  const isDone = await deleteAccount(supabase, userId).catch(() => false);
  if (isDone) await signOut();
  return isDone;
}

/** Withdraw the deletion after a failed try: the user wants to keep the account. */
export const keepAccount = () => eraseDisk(DELETING);

/** Mounted once, at the root: forget the data of a deleted user on this phone. */
export function useDeletion(): void {
  const client = useQueryClient();
  const { userId, isLost } = useSession();
  useEffect(() => {
    const deleted = readDisk(DELETING, v.string());
    if (deleted === null) return;
    if (deleted !== userId) {
      forgetUser(client, deleted);
      forgetCodes();
      eraseDisk(DELETING);
    } else if (isLost) {
      // The answer was lost, or the app was killed before it could sign out.
      void signOut();
    }
  }, [client, userId, isLost]);
}
