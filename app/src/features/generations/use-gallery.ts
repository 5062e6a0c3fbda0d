/** The gallery for the screens. It is never empty while it loads: the disk is read first. */

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';

import { useSession } from '@/lib/session';

import { readGallery } from './api';
import { changeGallery, galleryKey, galleryOf, openGallery } from './cache';
import { leftBy, withLeft } from './inheritance';
import { merge } from './merge';
import { readTruth } from './truth';

export function useGallery() {
  const client = useQueryClient();
  const { userId, isReady, replaced } = useSession();
  const left = useMemo(() => leftBy(replaced ?? null), [replaced]);
  const query = useQuery({
    queryKey: galleryKey(userId),
    queryFn: () => (userId ? readTruth(client, userId) : openGallery(null)),
    enabled: isReady && userId !== null,
    initialData: () => openGallery(userId),
    initialDataUpdatedAt: 0,
    gcTime: Infinity,
    // The merge keeps unchanged cards. TanStack compares by index: one new card would replace all.
    structuralSharing: false,
  });
  // A list requests older cards once, when its end is near. The first page may not have returned
  // yet where older ones begin.
  const [isOlderWanted, setOlderWanted] = useState(false);
  const { mutate: readOlder, isPending } = useMutation({
    mutationFn: () => readGallery(galleryOf(client, userId).cursor, []),
    onMutate: () => setOlderWanted(false),
    onSuccess: ({ items, cursor }) =>
      changeGallery(client, userId, (gallery) => ({ ...merge(gallery, items), cursor })),
  });
  const hasOlder = query.data.cursor !== null;
  useEffect(() => {
    if (isOlderWanted && hasOlder) readOlder();
  }, [isOlderWanted, hasOlder, readOlder]);
  return {
    items: left.length > 0 ? withLeft(query.data, left) : query.data.items,
    /** Whether the last read of the server failed. */
    hasFailed: query.failureCount > 0,
    refresh: () => query.refetch(),
    loadOlder: () => {
      if (!isPending) setOlderWanted(true);
    },
  };
}
