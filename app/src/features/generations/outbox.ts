/** Requests without a final answer of the server. They are on disk before they are sent, so that a
 * killed app loses none.
 *
 * Every read goes to the disk: another tab may have sent or canceled a request since the last one.
 */

import * as v from 'valibot';

import { eraseDisk, keysOnDisk, readDisk, setAside, writeDisk } from '@/lib/disk';

import * as schemas from './schemas';
import type { Entry, Item } from './types';

export type { Entry };

// Each entry has its own key: two tabs share the disk, and neither can overwrite the other's list.
const KEY = 'outbox.';

export const find = (id: string): Entry | undefined => readDisk(KEY + id, schemas.entry) ?? undefined;

export function all(): Entry[] {
  return keysOnDisk(KEY).flatMap((key) => {
    const entry = readDisk(key, schemas.entry);
    // Never drop unsent work, even if this version cannot read it.
    if (entry && key === KEY + entry.id) return entry;
    setAside(key);
    return [];
  });
}

export function ofUser(userId: string | null): Entry[] {
  return all().filter((entry) => entry.userId === userId || entry.userId === null);
}

export function put(entry: Entry): void {
  writeDisk(KEY + entry.id, entry);
}

/** Change an entry that still exists; a removed entry stays removed. */
export function change(id: string, changes: Partial<Entry>): Entry | undefined {
  const entry = find(id);
  if (!entry) return undefined;
  const changed = { ...entry, ...changes };
  put(changed);
  return changed;
}

export function erase(id: string): void {
  eraseDisk(KEY + id);
}

/** Erase all requests of a deleted user, including unreadable ones. */
export function eraseOf(userId: string): void {
  all().filter((entry) => entry.userId === userId).forEach(({ id }) => erase(id));
  const aside = keysOnDisk('unreadable.').filter((key) => JSON.stringify(readDisk(key, v.unknown())).includes(userId));
  aside.forEach(eraseDisk);
}

export function toItem(entry: Entry, updatedAt = entry.requestedAt): Item {
  const { id, model, input, requestedAt } = entry;
  const asked = { id, model, input, requestedAt, updatedAt };
  return entry.refusal
    ? { ...asked, status: 'refused', ...entry.refusal }
    : { ...asked, status: 'sending', delay: entry.delay };
}
