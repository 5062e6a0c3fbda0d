/** The content of the composer. Any screen may fill it. */

import { draft, draftOf, type Item, type Model, showPhotos } from '@/features/generations';

export { draft };

export const setPrompt = (prompt: string) => draft.set({ ...draft.get(), prompt });

/** Fill the composer at once. Its photos are shown when their URLs are known. */
export function edit(item: Item, models: Model[]): void {
  draft.set(draftOf(item, models));
  void showPhotos();
}
