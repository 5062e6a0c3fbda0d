/** One generation, from the gallery or, for a link, from the server. */

import { useQuery, useQueryClient } from '@tanstack/react-query';

import { useSession } from '@/lib/session';
import { isUuid } from '@/lib/uuid';

import { readJobs } from './api';
import { absorbJobs } from './cache';
import { useGallery } from './use-gallery';

/** `link` may have the id in capital letters. */
export function useGeneration(link: string) {
  const id = link.toLowerCase();
  const client = useQueryClient();
  const { userId, isReady } = useSession();
  const item = useGallery().items.find((known) => known.id === id);
  // A link can contain any text; the server would refuse it each time.
  const isUnknown = item === undefined && isUuid(id);
  const lookup = useQuery({
    queryKey: ['generation', userId, id],
    queryFn: async () => {
      const jobs = await readJobs([id]);
      absorbJobs(client, userId, jobs);
      return jobs.length > 0;
    },
    enabled: isReady && isUnknown,
  });
  return { item, isLookingUp: isUnknown && lookup.data === undefined && !lookup.isError };
}
