/** The content of the composer. Any screen may fill it. */

import { draft, draftOf, type Item, type Model, showPhotos } from '@/features/generations';

export { draft };

export const setPrompt = (prompt: string) => draft.set({ ...draft.get(), prompt });

/** At once; its photos are shown when it is known where they are. */
export function edit(item: Item, models: Model[]): void {
  draft.set(draftOf(item, models));
  void showPhotos();
}
