/** The URL of one picture, good for as long as it is on screen. */

import { type QueryClient, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';

import { loadAhead } from '@/lib/pictures';
import { useSession } from '@/lib/session';

import { forget, knownUrl, RENEW_BEFORE, sign } from './signed-urls';
import type { Job, Output } from './types';

const SOON = 1000;

const urlOf = (output: Output | undefined) =>
  queryOptions({
    queryKey: ['url', output?.path],
    queryFn: () => sign(output?.path ?? ''),
    initialData: () => output && knownUrl(output),
    initialDataUpdatedAt: 0,
    staleTime: ({ state }) => (state.data && timeLeft(state.data.expiresAt) > 0 ? Infinity : 0),
  });

export function useSignedUrl(output: Output | undefined) {
  const client = useQueryClient();
  const { isReady } = useSession();
  const { data } = useQuery({
    ...urlOf(output),
    enabled: isReady && output !== undefined,
    refetchInterval: ({ state }) => (state.data ? Math.max(SOON, timeLeft(state.data.expiresAt)) : false),
    refetchOnWindowFocus: true,
    refetchOnReconnect: true,
  });
  /** The picture did not load: another URL may help. */
  const renew = () => {
    const { queryKey } = urlOf(output);
    // One that fades out behind its successor fails once more.
    if (!output || client.getQueryData(queryKey)?.url !== data?.url) return;
    forget(output.path);
    void client.invalidateQueries({ queryKey });
  };
  return { url: data?.url, renew };
}

/** With the news that there is a picture, its URL is asked for if need be and it begins to load: the card comes a frame later. */
export function fetchAhead(client: QueryClient, { generation }: Job): void {
  const output = generation?.output?.[0];
  if (output) client.fetchQuery(urlOf(output)).then(({ url }) => loadAhead(url), () => {});
}

const timeLeft = (expiresAt: number) => expiresAt - RENEW_BEFORE - Date.now();
