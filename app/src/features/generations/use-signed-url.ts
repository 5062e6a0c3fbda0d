/** The URL of one picture, good for as long as it is on screen. */

import { type QueryClient, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';

import { useSession } from '@/lib/session';

import { forget, keptUrl, RENEW_BEFORE, sign } from './signed-urls';
import type { Job } from './types';

const SOON = 1000;

const urlOf = (path: string | undefined) =>
  queryOptions({
    queryKey: ['url', path],
    queryFn: () => sign(path ?? ''),
    initialData: () => (path ? keptUrl(path) : undefined),
    initialDataUpdatedAt: 0,
    staleTime: ({ state }) => (state.data && timeLeft(state.data.expiresAt) > 0 ? Infinity : 0),
  });

export function useSignedUrl(path: string | undefined) {
  const client = useQueryClient();
  const { isReady } = useSession();
  const { data } = useQuery({
    ...urlOf(path),
    enabled: isReady && path !== undefined,
    refetchInterval: ({ state }) => (state.data ? Math.max(SOON, timeLeft(state.data.expiresAt)) : false),
    refetchOnWindowFocus: true,
    refetchOnReconnect: true,
  });
  /** The picture did not load: another URL may help. */
  const renew = () => {
    if (path) forget(path);
    void client.invalidateQueries({ queryKey: urlOf(path).queryKey });
  };
  return { url: data?.url, renew };
}

/** The URL is asked for with the news that a picture is there, and not only when its card has been drawn. */
export function signAhead(client: QueryClient, { generation }: Job): void {
  const path = generation?.output?.[0]?.path;
  if (path) void client.prefetchQuery(urlOf(path));
}

const timeLeft = (expiresAt: number) => expiresAt - RENEW_BEFORE - Date.now();
