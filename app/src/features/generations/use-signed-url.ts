/** The URL of one picture, valid for as long as the picture is on screen. */

import { type QueryClient, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';

import { loadAhead } from '@/lib/load-ahead';
import { useSession } from '@/lib/session';

import { forget, knownUrl, RENEW_BEFORE, sign } from './signed-urls';
import { type Job, pictureOf, type Stored } from './types';

const SOON = 1000;
/** Milliseconds: a day. A timer of more than 24 days would fire at once, and a clock that is years
 * behind leads to such times. */
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
  /** Request another URL after the picture did not load.
   * The URL may not be the cause, so each try waits longer. */
  const renew = () => {
    const { queryKey } = urlQuery(output);
    const tries = client.getQueryState(queryKey)?.dataUpdateCount ?? 0;
    setTimeout(() => {
      // A picture that fades out behind its successor fails once more.
      if (!output || client.getQueryData(queryKey)?.url !== data?.url) return;
      forget(output.path);
      void client.invalidateQueries({ queryKey });
    }, pause(tries));
  };
  return { url: data?.url, renew };
}

/** Request the URL, if needed, and begin to load the picture when the news of it arrives.
 * The card is drawn a frame later. */
export function fetchAhead(client: QueryClient, { generation }: Job): void {
  const picture = pictureOf(generation?.output?.[0]);
  if (picture) client.fetchQuery(urlQuery(picture)).then(({ url }) => loadAhead(url), () => {});
}

/** Milliseconds, from a second to four minutes. */
const pause = (tries: number) => SOON * 2 ** Math.min(tries, 8);

const timeLeft = (expiresAt: number) => expiresAt - RENEW_BEFORE - Date.now();
