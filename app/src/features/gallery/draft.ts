/** The content of the composer. Any screen may fill it. */

import { type Draft, draftOf, EMPTY_DRAFT, type Item, type Model, photoUrl } from '@/features/generations';
import { showPhoto } from '@/lib/photos';
import { createStore } from '@/lib/store';

export const draft = createStore(EMPTY_DRAFT);

export const setPrompt = (prompt: string) => draft.set({ ...draft.get(), prompt });

/** At once; its photos are shown when it is known where they are. */
export function edit(item: Item, models: Model[]): void {
  draft.set(draftOf(item, models));
  for (const { id, path } of Object.values(draft.get().photos).flat()) {
    void (path ? photoUrl(path) : showPhoto(id)).then((uri) => draft.set(withUri(draft.get(), id, uri ?? '')), () => {});
  }
}

function withUri(known: Draft, id: string, uri: string): Draft {
  const photos = Object.entries(known.photos).map(([field, list]) => [field, list.map((photo) => (photo.id === id ? { ...photo, uri } : photo))]);
  return { ...known, photos: Object.fromEntries(photos) as Draft['photos'] };
}
