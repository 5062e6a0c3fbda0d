/** Uploads the photos of unsent requests, and deletes those that no request needs. */

import { readDisk, unreadableOnDisk } from '@/lib/disk';
import { erasePhoto, keptPhotos, readPhoto } from '@/lib/photos';
import { timeOf } from '@/lib/uuid';
import { REFUSED } from '@/texts/generations';

import { Refused, uploadPhoto } from './api';
import * as outbox from './outbox';
import { pathOf, photosOf } from './photo-marks';
import * as schemas from './schemas';

export async function upload(userId: string, photoId: string): Promise<void> {
  const bytes = await readPhoto(photoId);
  if (!bytes?.byteLength) throw new Refused('photo_lost', REFUSED.photoLost);
  await uploadPhoto(pathOf(userId, photoId), bytes);
}

/** Milliseconds. The photo of a sent request is kept so long, for a card that is edited. */
const KEPT_FOR = 24 * 3_600_000;

export async function sweepPhotos(now: number): Promise<void> {
  const inComposer = readDisk('draft', schemas.draft)?.values ?? {};
  const needed = new Set([inComposer, ...outbox.all().map(({ input }) => input)].flatMap(photosOf));
  // An unsent request that this version cannot read keeps its photos, too.
  const unreadable = unreadableOnDisk().join();
  const old = (await keptPhotos()).filter((id) => !needed.has(id) && !unreadable.includes(id) && now - timeOf(id) > KEPT_FOR);
  await Promise.all(old.map(erasePhoto));
}
