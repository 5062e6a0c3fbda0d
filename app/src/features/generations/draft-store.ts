/** The content of the composer. Any screen may fill it; it is kept on disk, and so are its photos. */

import * as v from 'valibot';

import { eraseDisk, readDisk, writeDisk } from '@/lib/disk';
import { pendingPhoto, type Photo, pickPhoto } from '@/lib/pick-photo';
import { createStore } from '@/lib/store';

import { type Draft, EMPTY_DRAFT, isPhotoList, withPhoto, withPhotos } from './draft';
import { idOf } from './photo-marks';
import { photoUri } from './photo-uploads';
import * as schemas from './schemas';

const ON_DISK = 'draft';
const PICKING = 'picking';
const WRITE_AFTER = 300; // milliseconds; not at every letter

export const draft = createStore<Draft>({ ...EMPTY_DRAFT, ...readDisk(ON_DISK, schemas.draft) });

let timer: ReturnType<typeof setTimeout> | undefined;
draft.subscribe(() => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const { model, prompt, values } = draft.get();
    writeDisk(ON_DISK, { model, prompt, values });
  }, WRITE_AFTER);
  void findPhotos();
});

/** What a kill has interrupted: photos of the draft are shown again, and a photo that was being chosen is taken. */
export async function resumeDraft(): Promise<void> {
  await findPhotos();
  const field = readDisk(PICKING, v.string());
  if (field !== null) take(field, await pendingPhoto());
}

/** Rejects when the photo cannot be read. */
export async function pickInto(field: string, from: 'library' | 'camera'): Promise<void> {
  // Android may end the app while its gallery or camera is in front.
  writeDisk(PICKING, field);
  try {
    take(field, await pickPhoto(from));
  } finally {
    eraseDisk(PICKING);
  }
}

/** The draft may have changed while the user chose. */
function take(field: string, photo: Photo | null): void {
  eraseDisk(PICKING);
  if (photo) draft.set(withPhoto(draft.get(), field, photo));
}

/** Finds what stands for photos that are named and not shown. One that is gone is named no more; one that cannot be asked for now stays. */
async function findPhotos(): Promise<void> {
  const { values, photos } = draft.get();
  for (const [field, named] of Object.entries(values)) {
    if (!isPhotoList(named) || named.length === (photos[field]?.length ?? 0)) continue;
    const found = await Promise.all(named.map(async (name) => ({ id: idOf(name), uri: await photoUri(name).catch(() => '') })));
    if (draft.get().values[field] !== named) continue;
    draft.set(withPhotos(draft.get(), field, found.flatMap(({ id, uri }) => (uri === null ? [] : [{ id, uri }]))));
  }
}
