/** A mark stands for a photo in an unsent request:
 * its path has the id of a user who may not be known yet. Pure. */

import { isUuid } from '@/lib/uuid';

import type { Input } from './types';

const MARK = 'photo:';

export const markOf = (photoId: string): string => MARK + photoId;

export function photosOf(input: Input): string[] {
  return Object.values(input)
    .flat()
    .flatMap((value) => (isMark(value) ? [value.slice(MARK.length)] : []));
}

export const pathOf = (userId: string, photoId: string): string => `${userId}/${photoId}.jpg`;

/** Return the input as the server takes it: a path for each mark. */
export function withPaths(input: Input, userId: string): Input {
  const named = (value: unknown) => (isMark(value) ? pathOf(userId, value.slice(MARK.length)) : value);
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => [name, Array.isArray(value) ? value.map(named) : named(value)]),
  );
}

const isMark = (value: unknown): value is string =>
  typeof value === 'string' && value.startsWith(MARK) && isUuid(value.slice(MARK.length));
