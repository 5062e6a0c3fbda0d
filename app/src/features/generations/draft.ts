/** What stands in the composer and is not asked for yet. Pure. */

import { markOf } from './photo-marks';
import type { Input } from './types';

export interface Draft {
  /** Null: the first model. */
  model: string | null;
  prompt: string;
  /** By field; a photo field has the marks of its photos. */
  values: Input;
  /** By field; to be shown while the app runs. */
  photos: Record<string, { id: string; uri: string }[]>;
}

export const EMPTY_DRAFT: Draft = { model: null, prompt: '', values: {}, photos: {} };

export const withPhoto = (draft: Draft, field: string, photo: { id: string; uri: string }): Draft =>
  withPhotos(draft, field, [...(draft.photos[field] ?? []), photo]);

export const withoutPhoto = (draft: Draft, field: string, id: string): Draft =>
  withPhotos(draft, field, (draft.photos[field] ?? []).filter((photo) => photo.id !== id));

const withPhotos = (draft: Draft, field: string, photos: Draft['photos'][string]): Draft => ({
  ...draft,
  photos: { ...draft.photos, [field]: photos },
  values: { ...draft.values, [field]: photos.map(({ id }) => markOf(id)) },
});
