/** The content of the composer. Any screen may fill it.
 * The draft and its photos are kept on disk with the user who wrote it. */

import * as v from 'valibot';

import { eraseDisk, readDisk, writeDisk } from '@/lib/disk';
import { maybe } from '@/lib/parse';
import { showPhoto } from '@/lib/photos';
import { pendingPhoto, type Photo, pickPhoto } from '@/lib/pick-photo';
import { session } from '@/lib/session';
import { createStore } from '@/lib/store';

import { photoUrl } from './api';
import { type Draft, type DraftPhoto, EMPTY_DRAFT, withoutPhoto, withPhoto } from './draft';
import { sweepPhotos } from './photo-uploads';
import * as schemas from './schemas';

const ON_DISK = 'draft';
const PICKING = 'picking';
const WRITE_AFTER = 300; // milliseconds: not every letter is a write

/** Null before this phone had a user. */
const written = v.object({ userId: maybe(v.string()) });
let userId = readDisk(ON_DISK, written)?.userId ?? null;

export const draft = createStore<Draft>({ ...EMPTY_DRAFT, ...readDisk(ON_DISK, schemas.draft) });

let timer: ReturnType<typeof setTimeout> | undefined;
draft.subscribe(writeSoon);
session.subscribe(follow);
follow();

function writeSoon(): void {
  clearTimeout(timer);
  timer = setTimeout(() => writeDisk(ON_DISK, { ...draft.get(), userId }), WRITE_AFTER);
}

/** Move the draft with the cards:
 * to the first user of this phone, or to the one who replaces an anonymous user. */
function follow(): void {
  const now = session.get();
  if (now.userId === userId) return;
  if (userId !== null && userId !== now.replaced) forget();
  userId = now.userId;
  writeSoon();
}

/** Clear the draft: another user must see neither its words nor its photos. */
function forget(): void {
  draft.set(EMPTY_DRAFT);
  eraseDisk(ON_DISK);
  eraseDisk(PICKING);
  void sweepPhotos(Infinity);
}

/** Resume after the system killed the app:
 * show the photos of the draft, and take the one that was being chosen. */
export async function resumeDraft(): Promise<void> {
  await showPhotos();
  const field = readDisk(PICKING, v.string());
  if (field === null) return;
  // Erase the mark before the photo is read: an unreadable photo would be tried at every start.
  eraseDisk(PICKING);
  try {
    take(field, await pendingPhoto());
  } catch (error) {
    console.warn('photo.not_read', error);
  }
}

/** Look up the URLs of the photos of the draft. */
export async function showPhotos(): Promise<void> {
  const photos = Object.entries(draft.get().photos).flatMap(([field, list]) => list.map((photo) => ({ field, photo })));
  await Promise.all(photos.map(({ field, photo }) => show(field, photo)));
}

/** Show one photo. A photo that is gone leaves the draft.
 * One that cannot be looked up now stays without its picture. */
async function show(field: string, { id, path }: DraftPhoto): Promise<void> {
  const uri = await (path ? photoUrl(path).catch(() => '') : showPhoto(id));
  const now = draft.get();
  if (uri === null) return draft.set(withoutPhoto(now, field, id));
  const shown = now.photos[field]?.map((photo) => (photo.id === id ? { ...photo, uri } : photo)) ?? [];
  draft.set({ ...now, photos: { ...now.photos, [field]: shown } });
}

/** Let the user choose a photo for a field. Rejects if the photo cannot be read. */
export async function pickInto(field: string, from: 'library' | 'camera'): Promise<void> {
  // Android may end the app while its gallery or camera is in front.
  writeDisk(PICKING, field);
  try {
    take(field, await pickPhoto(from));
  } finally {
    eraseDisk(PICKING);
  }
}

/** Add the photo to the current draft, which may have changed while the user chose. */
function take(field: string, photo: Photo | null): void {
  if (photo) draft.set(withPhoto(draft.get(), field, photo));
}
