/** What stands in the composer and is not asked for yet. Pure. */

import { isPhoto, markOf } from './photo-marks';
import { type Input, type Item, promptOf } from './types';

export interface Draft {
  /** Null: the first model. */
  model: string | null;
  prompt: string;
  /** By field; a photo field has a list of marks and paths. */
  values: Input;
  /** By field, what there is to be shown while the app runs; the id is that of a photo on this phone, or a path. */
  photos: Record<string, { id: string; uri: string }[]>;
}

export const EMPTY_DRAFT: Draft = { model: null, prompt: '', values: {}, photos: {} };

/** All that was asked for, to be changed and asked for again. */
export function draftOf(item: Pick<Item, 'model' | 'input'>): Draft {
  const { prompt: _prompt, ...others } = item.input;
  const values = Object.entries(others).map(([name, value]) => [name, isPhoto(value) ? [value] : value] as const);
  return { ...EMPTY_DRAFT, model: item.model, prompt: promptOf(item), values: Object.fromEntries(values) };
}

/** What stays after it was sent: the model and its options. */
export function afterSending({ model, values }: Draft): Draft {
  const options = Object.entries(values).filter(([, value]) => !isPhotoList(value));
  return { ...EMPTY_DRAFT, model, values: Object.fromEntries(options) };
}

export const isPhotoList = (value: unknown): value is string[] => Array.isArray(value) && value.every(isPhoto);

export const withPhoto = (draft: Draft, field: string, photo: { id: string; uri: string }): Draft =>
  withPhotos(draft, field, [...(draft.photos[field] ?? []), photo]);

export const withoutPhoto = (draft: Draft, field: string, id: string): Draft =>
  withPhotos(draft, field, (draft.photos[field] ?? []).filter((photo) => photo.id !== id));

export const withPhotos = (draft: Draft, field: string, photos: Draft['photos'][string]): Draft => ({
  ...draft,
  photos: { ...draft.photos, [field]: photos },
  values: { ...draft.values, [field]: photos.map(({ id }) => (isPhoto(id) ? id : markOf(id))) },
});
