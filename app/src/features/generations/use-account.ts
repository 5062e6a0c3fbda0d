/** The balance, and the models that a user can choose. */

import { useQuery } from '@tanstack/react-query';

import { useSession } from '@/lib/session';

import { readAccount } from './api';
import { accountKey } from './cache';
import { modelsQuery } from './models';
import { type Account, isPaid, type Model } from './types';

export function useAccount() {
  const { userId, isReady } = useSession();
  return useQuery({ queryKey: accountKey(userId), queryFn: readAccount, enabled: isReady, select: balanceNow }).data;
}

const balanceNow = (account: Account) => ({
  credits: account.credits,
  owed: account.owed ?? 0,
  isPaid: isPaid(account, Date.now()),
  paidUntil: account.paid_until,
});

const NONE: Model[] = [];

/** The models of the last start, until the server has listed them; none on a new phone. */
export function useModels(): Model[] {
  const { isReady } = useSession();
  return useQuery({ ...modelsQuery, enabled: isReady }).data ?? NONE;
}
