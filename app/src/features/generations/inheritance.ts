/** The inheritance of the user who replaces an anonymous user on this phone:
 * pictures to look at, and requests to retry. */

import { readDisk, writeDisk } from '@/lib/disk';

import type { Gallery } from './merge';
import * as outbox from './outbox';
import * as schemas from './schemas';
import type { Item } from './types';

/** The pictures of a user, as far as they are on disk. */
export function leftBy(userId: string | null): Item[] {
  const items = userId === null ? [] : (readDisk(`gallery.${userId}`, schemas.items) ?? []);
  return items.filter(({ status }) => status === 'succeeded');
}

/** Add the inherited cards below the user's own: the server does not return them to this user. */
export function withLeft({ items, gone }: Gallery, left: Item[]): Item[] {
  return [...items, ...left.filter(({ id }) => !gone.includes(id) && !items.some((item) => item.id === id))];
}

export function eraseLeft(userId: string, id: string): void {
  writeDisk(`gallery.${userId}`, leftBy(userId).filter((item) => item.id !== id));
}

/** Turn unsent requests into cards to retry.
 * One user is never charged for the request of another, and no request is lost. */
export function inheritUnsent(from: string, to: string): void {
  for (const entry of outbox.all()) {
    if (entry.userId !== from) continue;
    if (entry.isWithdrawn) outbox.erase(entry.id);
    else outbox.put({ ...entry, userId: to, delay: null, refusal: entry.refusal ?? { code: 'other_account', message: '' } });
  }
}
