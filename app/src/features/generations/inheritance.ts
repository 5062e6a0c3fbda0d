/** What an anonymous user leaves to the one who takes its place on this phone: pictures to look at, and requests to retry. */

import { readDisk, writeDisk } from '@/lib/disk';

import type { Gallery } from './merge';
import * as outbox from './outbox';
import * as schemas from './schemas';
import type { Item } from './types';

/** The pictures, as far as they are on disk. */
export function leftBy(userId: string | null): Item[] {
  const items = userId === null ? [] : (readDisk(`gallery.${userId}`, schemas.items) ?? []);
  return items.filter(({ status }) => status === 'succeeded');
}

/** Below the user's own cards, because the server does not give them to this user. */
export function withLeft({ items, gone }: Gallery, left: Item[]): Item[] {
  return [...items, ...left.filter(({ id }) => !gone.includes(id) && !items.some((item) => item.id === id))];
}

export function eraseLeft(userId: string, id: string): void {
  writeDisk(`gallery.${userId}`, leftBy(userId).filter((item) => item.id !== id));
}

/** What was unsent becomes cards to retry: one user is never charged for what another asked, and nothing is lost. */
export function inheritUnsent(from: string, to: string): void {
  for (const entry of outbox.all()) {
    if (entry.userId !== from) continue;
    if (entry.isWithdrawn) outbox.erase(entry.id);
    else outbox.put({ ...entry, userId: to, delay: null, refusal: entry.refusal ?? { code: 'other_account', message: '' } });
  }
}
