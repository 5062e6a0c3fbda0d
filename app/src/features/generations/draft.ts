/** The content of the composer before it is sent. Pure. */

import { fieldsOf } from './fields';
import { markOf, photosOf } from './photo-marks';
import { type Input, type Item, type Model, promptOf } from './types';

export interface Draft {
  /** Null for the first model. */
  model: string | null;
  prompt: string;
  /** By field; a photo field has the marks of its photos. */
  values: Input;
  /** By field; shown while the app runs. */
  photos: Record<string, DraftPhoto[]>;
}

export interface DraftPhoto {
  id: string;
  /** Empty during the lookup. */
  uri: string;
  /** The path of a photo that the server has already. */
  path?: string;
}

export const EMPTY_DRAFT: Draft = { model: null, prompt: '', values: {}, photos: {} };

export const withPhoto = (draft: Draft, field: string, photo: DraftPhoto): Draft =>
  withPhotos(draft, field, [...(draft.photos[field] ?? []), photo]);

export const withoutPhoto = (draft: Draft, field: string, id: string): Draft =>
  withPhotos(draft, field, (draft.photos[field] ?? []).filter((photo) => photo.id !== id));

const withPhotos = (draft: Draft, field: string, photos: Draft['photos'][string]): Draft => ({
  ...draft,
  photos: { ...draft.photos, [field]: photos },
  values: { ...draft.values, [field]: photos.map(({ id, path }) => path ?? markOf(id)) },
});

/** Fit a draft to another model.
 * Of its photos, the first ones stay: none is shown that would not be sent. */
export function withModel(draft: Draft, model: Model): Draft {
  const fitted = fieldsOf(model).reduce(
    (known, field) => (field.kind === 'photo' ? withPhotos(known, field.name, (known.photos[field.name] ?? []).slice(0, field.most)) : known),
    draft,
  );
  return { ...fitted, model: model.id };
}

/** The draft of an earlier request, with its photos, to be changed and sent again. */
export function draftOf({ model, input }: Item, models: Model[]): Draft {
  const { prompt: _prompt, ...values } = input;
  const draft = { ...EMPTY_DRAFT, model, prompt: promptOf({ input }), values };
  const fields = photoFieldsOf(models.find(({ id }) => id === model)).filter((field) => input[field] !== undefined);
  return fields.reduce((known, field) => withPhotos(known, field, [input[field]].flat().flatMap(photoOf)), draft);
}

/** A draft with a result as the photo of the first model of this kind that takes one, or null. */
export function draftFrom(item: Item, photo: Required<DraftPhoto>, models: Model[], kind: string): Draft | null {
  const own = models.filter(({ id }) => id === item.model);
  const model = [...own, ...models].find((known) => known.kind === kind && photoFieldsOf(known).length > 0);
  const [field] = photoFieldsOf(model);
  if (!model || !field) return null;
  return withPhoto({ ...EMPTY_DRAFT, model: model.id, prompt: promptOf(item) }, field, photo);
}

const photoFieldsOf = (model: Model | undefined): string[] =>
  fieldsOf(model).flatMap(({ kind, name }) => (kind === 'photo' ? [name] : []));

function photoOf(value: unknown): DraftPhoto[] {
  if (typeof value !== 'string') return [];
  const [marked] = photosOf({ value });
  return [marked ? { id: marked, uri: '' } : { id: value, uri: '', path: value }];
}
