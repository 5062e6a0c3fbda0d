/** What an anonymous user left on this phone to the user who took its place: the pictures, as far as they are on disk. */

import { readDisk, writeDisk } from '@/lib/disk';

import * as schemas from './schemas';
import type { Item } from './types';

export function leftBy(userId: string | null): Item[] {
  const items = userId === null ? [] : (readDisk(`gallery.${userId}`, schemas.items) ?? []);
  return items.filter(({ status }) => status === 'succeeded');
}

export function eraseLeft(userId: string, id: string): void {
  writeDisk(`gallery.${userId}`, leftBy(userId).filter((item) => item.id !== id));
}
