/** Deletions that the user can still undo.
 * They are on disk, so that an app that was closed deletes at its next start. */

import * as v from 'valibot';

import { eraseDisk, keysOnDisk, readDisk, writeDisk } from '@/lib/disk';
import { createStore } from '@/lib/store';

import { remove } from './api';
import { eraseLeft } from './inheritance';
import * as outbox from './outbox';
import * as schemas from './schemas';

/** Milliseconds in which a deletion can be undone. */
export const UNDO_FOR = 6000;

const KEY = 'deletion.';

const deletion = v.object({
  id: v.string(),
  userId: v.nullable(v.string()),
  /** The earliest time of the deletion, in milliseconds. */
  at: v.number(),
  isOnServer: v.boolean(),
  /** The request that takes over the place and the photos.
   * The photos must stay until the server has that request. */
  replacedBy: v.nullable(v.string()),
  /** The earlier user of this phone whose cards are shown, too: this card may be one of them. */
  left: v.optional(v.nullable(v.string()), null),
  /** The card that is shown again if the server refuses. */
  card: v.optional(schemas.card, null),
});

export type Deletion = Omit<v.InferOutput<typeof deletion>, 'left' | 'card'> & Partial<Pick<v.InferOutput<typeof deletion>, 'left' | 'card'>>;

/** Changes with each new deletion. */
export const bell = createStore(0);

/** The message of the server's last refusal of a deletion. */
export const deletionRefused = createStore<string | null>(null);

export const ofUser = (userId: string | null): Deletion[] =>
  keysOnDisk(KEY)
    .flatMap((key) => readDisk(key, deletion) ?? [])
    .filter((known) => known.userId === userId);

export function note(wanted: Deletion): void {
  writeDisk(KEY + wanted.id, wanted);
  bell.set(bell.get() + 1);
}

/** Undo a deletion. Returns whether there was still time. */
export function takeBack(id: string): boolean {
  const isInTime = readDisk(KEY + id, deletion) !== null;
  eraseDisk(KEY + id);
  return isInTime;
}

/** Delete on the server. Rejects if the server is unreachable or refuses. */
export async function finish({ id, isOnServer, replacedBy, left }: Deletion): Promise<void> {
  if (replacedBy && outbox.find(replacedBy)) throw new Error(`${replacedBy} is not sent yet`);
  if (isOnServer) await remove(id);
  outbox.erase(id);
  if (left) eraseLeft(left, id);
  eraseDisk(KEY + id);
}
