/** The balance, and the models that a user can choose. */

import { useQuery } from '@tanstack/react-query';

import { useSession } from '@/lib/session';

import { listModels, readAccount } from './api';
import { accountKey } from './cache';
import type { Model } from './types';

/** The model of a tap that comes before the server has listed its models. */
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
