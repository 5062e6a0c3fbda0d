/** The URL of one picture, good for as long as it is on screen. */

import { useQuery, useQueryClient } from '@tanstack/react-query';

import { useSession } from '@/lib/session';

import { forget, keptUrl, RENEW_BEFORE, sign } from './signed-urls';

const SOON = 1000;

export function useSignedUrl(path: string | undefined) {
  const client = useQueryClient();
  const { isReady } = useSession();
  const queryKey = ['url', path];
  const { data } = useQuery({
    queryKey,
    queryFn: () => sign(path ?? ''),
    enabled: isReady && path !== undefined,
    initialData: () => (path ? keptUrl(path) : undefined),
    initialDataUpdatedAt: 0,
    staleTime: ({ state }) => (state.data && timeLeft(state.data.expiresAt) > 0 ? Infinity : 0),
    refetchInterval: ({ state }) => (state.data ? Math.max(SOON, timeLeft(state.data.expiresAt)) : false),
    refetchOnWindowFocus: true,
    refetchOnReconnect: true,
  });
  /** The picture did not load: another URL may help. */
  const renew = () => {
    if (path) forget(path);
    void client.invalidateQueries({ queryKey });
  };
  return { url: data?.url, renew };
}

const timeLeft = (expiresAt: number) => expiresAt - RENEW_BEFORE - Date.now();
