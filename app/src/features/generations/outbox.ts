/** Requests without a final answer of the server. They are on disk before they are sent, so that a killed app loses none. */

import { eraseDisk, keysOnDisk, readDisk, writeDisk } from '@/lib/disk';

import type { Delay, GenerationRequest, Item, RefusalCode } from './types';

export interface Entry extends GenerationRequest {
  /** Null until a session is confirmed, and again when it is refused: then it belongs to the next user who signs in. */
  userId: string | null;
  requestedAt: string;
  /** It may have reached the server. */
  isTried: boolean;
  /** Canceled on this phone before the server had answered. */
  isWithdrawn: boolean;
  delay: Delay | null;
  refusal: { code: RefusalCode; message: string } | null;
}

// A key for each entry: two tabs share the disk, and neither can overwrite the other's list.
const KEY = 'outbox.';
let entries: Map<string, Entry> | null = null;

function opened(): Map<string, Entry> {
  entries ??= new Map(keysOnDisk(KEY).map(readDisk).filter(isEntry).map((entry) => [entry.id, entry]));
  return entries;
}

export function ofUser(userId: string | null): Entry[] {
  return [...opened().values()].filter((entry) => entry.userId === userId || entry.userId === null);
}

export const find = (id: string) => opened().get(id);

export function put(entry: Entry): void {
  opened().set(entry.id, entry);
  writeDisk(KEY + entry.id, entry);
}

/** Changes an entry that is still there; one that is gone stays gone. */
export function change(id: string, changes: Partial<Entry>): Entry | undefined {
  const entry = find(id);
  if (!entry) return undefined;
  const changed = { ...entry, ...changes };
  put(changed);
  return changed;
}

/** Give the requests of this user that the server may not have to the next user who signs in. */
export function disown(userId: string): void {
  for (const entry of opened().values()) if (entry.userId === userId) put({ ...entry, userId: null });
}

export function erase(id: string): void {
  opened().delete(id);
  eraseDisk(KEY + id);
}

/** As if the app had been killed and started again. */
export function reopen(): void {
  entries = null;
}

export function toItem(entry: Entry, updatedAt = entry.requestedAt): Item {
  const { id, model, input, requestedAt } = entry;
  const asked = { id, model, input, requestedAt, updatedAt };
  return entry.refusal
    ? { ...asked, status: 'refused', ...entry.refusal }
    : { ...asked, status: 'sending', delay: entry.delay };
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && 'id' in value && 'input' in value && 'refusal' in value;
}
