/** What the screens show. Never loading without something to show: the disk answers first. */

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { useSession } from '@/lib/session';

import { readPage } from './api';
import { changeGallery, galleryKey, galleryOf, openGallery } from './cache';
import { merge } from './merge';
import { readTruth } from './truth';

export function useGallery() {
  const client = useQueryClient();
  const { userId, isReady } = useSession();
  const query = useQuery({
    queryKey: galleryKey(userId),
    queryFn: () => (userId ? readTruth(client, userId) : openGallery(null)),
    enabled: isReady && userId !== null,
    initialData: () => openGallery(userId),
    initialDataUpdatedAt: 0,
    gcTime: Infinity,
  });
  const older = useMutation({
    mutationFn: () => readPage(galleryOf(client, userId).cursor),
    onSuccess: ({ items, cursor }) =>
      changeGallery(client, userId, (gallery) => ({ ...merge(gallery, items), cursor })),
  });
  return {
    items: query.data.items,
    /** The server could not be read. */
    hasFailed: query.failureCount > 0,
    refresh: () => query.refetch(),
    loadOlder: () => {
      if (query.data.cursor !== null && !older.isPending) older.mutate();
    },
  };
}
