/** A photo in an unsent request is a mark: its path has the id of a user who may not be known yet. Pure. */

import { isUuid } from '@/lib/uuid';

import type { Input } from './types';

const MARK = 'photo:';
/** `<user>/<photo>.jpg`, or an output of the user's own, `<user>/<job>/<n>…`. */
const PATH = /^([0-9a-f-]{36})\/([0-9a-f-]{36})(\.(jpg|png|webp)$|\/[^/]+$)/i;

export const markOf = (photoId: string): string => MARK + photoId;

export function photosOf(input: Input): string[] {
  return Object.values(input)
    .flat()
    .flatMap((value) => (isMark(value) ? [value.slice(MARK.length)] : []));
}

export const pathOf = (userId: string, photoId: string): string => `${userId}/${photoId}.jpg`;

/** The input as the server takes it. */
export function withPaths(input: Input, userId: string): Input {
  const named = (value: unknown) => (isMark(value) ? pathOf(userId, value.slice(MARK.length)) : value);
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [name, Array.isArray(value) ? value.map(named) : named(value)]),
  );
}

/** The id that a mark names; a path stands for itself. */
export const idOf = (photo: string): string => (isMark(photo) ? photo.slice(MARK.length) : photo);

/** The id of a photo of this phone that may still be here, and whether the path is that of an upload. */
export function partsOf(photo: string): { photoId: string; isUpload: boolean } {
  const [, , photoId = '', end = ''] = PATH.exec(photo) ?? [];
  return isMark(photo) ? { photoId: idOf(photo), isUpload: true } : { photoId, isUpload: end.startsWith('.') };
}

/** Whether it names a photo: a mark, or a path in Storage. */
export const isPhoto = (value: unknown): value is string =>
  isMark(value) || (typeof value === 'string' && PATH.test(value));

export const isMark = (value: unknown): value is string =>
  typeof value === 'string' && value.startsWith(MARK) && isUuid(value.slice(MARK.length));
