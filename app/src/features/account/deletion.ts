/** The end of an account: first on the server, then on this phone. A phone that dies in between finishes at its next start. */

import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import * as v from 'valibot';

import { forgetUser } from '@/features/generations';
import { eraseDisk, readDisk, writeDisk } from '@/lib/disk';
import { signOut, useSession } from '@/lib/session';
import { supabase } from '@/lib/supabase';

import { forgetCodes } from './use-code';

const DELETING = 'deleting';

/** Whether it is done. False: perhaps not, and it may be tried again. */
export async function deleteAccount(client: typeof supabase, userId: string): Promise<boolean> {
  // The token is chosen here: another tab may sign another user in at this moment.
  const { data } = await client.auth.getSession();
  if (data.session?.user.id !== userId) return false;
  const call = client.rpc('delete_account').setHeader('Authorization', `Bearer ${data.session.access_token}`);
  return !(await call).error;
}

/** Deletes the user of this phone; the app then begins anew. */
export async function deleteOwnAccount(userId: string): Promise<boolean> {
  writeDisk(DELETING, userId);
  const isDone = await deleteAccount(supabase, userId).catch(() => false);
  if (isDone) await signOut();
  return isDone;
}

/** The user has thought better of it, after a try that failed. */
export const keepAccount = () => eraseDisk(DELETING);

/** Mounted once, at the root: forgets what this phone keeps of a deleted user. */
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
