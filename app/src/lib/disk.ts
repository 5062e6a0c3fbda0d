/** Small JSON values that outlive the process of the app.
 *
 * They are written at once. They are read through a schema, because an older or newer app, or a
 * person, may have written them.
 */

import type * as v from 'valibot';

import { NAME } from './name';
import { parsed, type Schema } from './parse';
import { setExpendable, storage } from './storage';

/** The number rises when an older shape can no longer be read.
 * A change that raises it must migrate the outbox. */
const PREFIX = `${NAME}.1.`;
const CACHES = ['gallery.', 'urls', 'models'];

setExpendable((key) => CACHES.some((cache) => key.startsWith(PREFIX + cache)));

/** Return the value, or null if it is missing or unreadable. */
export function readDisk<S extends Schema>(key: string, schema: S): v.InferOutput<S> | null {
  return parsed(schema, json(storage.getItem(PREFIX + key)));
}

const gone = new Set<string>();

/** From now on write nothing that names this deleted user: answers may still be on their way. */
export function neverWriteAgain(userId: string): void {
  // Every text contains the empty one.
  if (userId !== '') gone.add(userId);
}

export function writeDisk(key: string, value: unknown): void {
  const text = JSON.stringify(value);
  if (![...gone].some((userId) => key.includes(userId) || text.includes(userId))) storage.setItem(PREFIX + key, text);
}

export function eraseDisk(key: string): void {
  storage.removeItem(PREFIX + key);
}

/** Move an unreadable value aside, and keep it for a later version or a support request. */
export function setAside(key: string): void {
  const text = storage.getItem(PREFIX + key);
  if (text !== null) storage.setItem(`${PREFIX}unreadable.${key}`, text);
  if (text === null || storage.isOnDisk(`${PREFIX}unreadable.${key}`)) eraseDisk(key);
}

/** The texts that were set aside. */
export const unreadableOnDisk = (): string[] => keysOnDisk('unreadable.').map((key) => storage.getItem(PREFIX + key) ?? '');

export function keysOnDisk(start: string): string[] {
  return storage
    .keys()
    .filter((key) => key.startsWith(PREFIX + start))
    .map((key) => key.slice(PREFIX.length));
}

function json(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}
