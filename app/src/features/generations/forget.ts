/** The removal of a user's data from this phone:
 * the pictures at a sign-out, everything at the end of an account. */

import type { QueryClient } from '@tanstack/react-query';
import { Image } from 'expo-image';

import { eraseDisk, keysOnDisk, neverWriteAgain } from '@/lib/disk';
import { session } from '@/lib/session';

import * as deletions from './deletions';
import * as outbox from './outbox';
import { sweepPhotos } from './photo-uploads';

/** Remove the cards of a user who has left this phone, and the cards that an earlier user left to
 * that one. The server has them. */
export function forgetCards(client: QueryClient, userId: string): void {
  const others = keysOnDisk('gallery.').filter((key) => key !== `gallery.${session.get().userId}`);
  [...others, 'urls'].forEach(eraseDisk);
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] === 'url' || queryKey[1] === userId });
  void Image.clearDiskCache();
  void Image.clearMemoryCache();
}

/** Remove everything of a deleted user from this phone, also unsent requests and their photos. */
export function forgetUser(client: QueryClient, userId: string): void {
  neverWriteAgain(userId);
  outbox.eraseOf(userId);
  deletions.ofUser(userId).forEach(({ id }) => deletions.takeBack(id));
  void sweepPhotos(Infinity);
  forgetCards(client, userId);
}
