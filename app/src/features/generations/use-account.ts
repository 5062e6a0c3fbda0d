/** The balance, and what can be asked for it. */

import { useQuery } from '@tanstack/react-query';

import { useSession } from '@/lib/session';

import { listModels, readAccount } from './api';
import { accountKey } from './cache';
import type { Model } from './types';

/** What a first tap asks for when the server has not yet said what there is. */
const FIRST_MODEL: Model = { id: 'preview', title: 'Preview', cost: 1 };

export function useAccount() {
  const { userId, isReady } = useSession();
  return useQuery({ queryKey: accountKey(userId), queryFn: readAccount, enabled: isReady }).data;
}

export function useModels(): Model[] {
  const { isReady } = useSession();
  const { data } = useQuery({ queryKey: ['models'], queryFn: listModels, enabled: isReady, staleTime: 3_600_000 });
  return data && data.length > 0 ? data : [FIRST_MODEL];
}
