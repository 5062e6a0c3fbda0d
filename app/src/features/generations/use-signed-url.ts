/** The URL of one picture, good for as long as it is on screen. */

import { type QueryClient, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';

import { loadAhead } from '@/lib/load-ahead';
import { useSession } from '@/lib/session';

import { forget, knownUrl, RENEW_BEFORE, sign } from './signed-urls';
import { type Job, pictureOf, type Stored } from './types';

const SOON = 1000;
/** A day. A timer of more than 24 days would fire at once, and a clock that is years behind sees such times. */
const LATE = 86_400_000;

const urlQuery = (output: Stored | undefined) =>
  queryOptions({
    queryKey: ['url', output?.path],
    queryFn: () => sign(output?.path ?? ''),
    initialData: () => output && knownUrl(output),
    initialDataUpdatedAt: 0,
    staleTime: ({ state }) => (state.data && timeLeft(state.data.expiresAt) > 0 ? Infinity : 0),
  });

export function useSignedUrl(output: Stored | undefined) {
  const client = useQueryClient();
  const { isReady } = useSession();
  const { data } = useQuery({
    ...urlQuery(output),
    enabled: isReady && output !== undefined,
    refetchInterval: ({ state: { data: known, fetchFailureCount, errorUpdateCount } }) => {
      if (fetchFailureCount > 0) return pause(errorUpdateCount + 3);
      return known ? Math.min(LATE, Math.max(SOON, timeLeft(known.expiresAt))) : false;
    },
    refetchOnWindowFocus: true,
    refetchOnReconnect: true,
  });
  /** The picture did not load: another URL may help, and sooner or later it is not the URL. */
  const renew = () => {
    const { queryKey } = urlQuery(output);
    const tries = client.getQueryState(queryKey)?.dataUpdateCount ?? 0;
    setTimeout(() => {
      // One that fades out behind its successor fails once more.
      if (!output || client.getQueryData(queryKey)?.url !== data?.url) return;
      forget(output.path);
      void client.invalidateQueries({ queryKey });
    }, pause(tries));
  };
  return { url: data?.url, renew };
}

/** With the news that there is a picture, its URL is asked for if need be and it begins to load: the card comes a frame later. */
export function fetchAhead(client: QueryClient, { generation }: Job): void {
  const picture = pictureOf(generation?.output?.[0]);
  if (picture) client.fetchQuery(urlQuery(picture)).then(({ url }) => loadAhead(url), () => {});
}

/** Milliseconds, from a second to four minutes. */
const pause = (tries: number) => SOON * 2 ** Math.min(tries, 8);

const timeLeft = (expiresAt: number) => expiresAt - RENEW_BEFORE - Date.now();
