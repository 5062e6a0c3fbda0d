/** Cards side by side. Pure. */

import type { Item } from '@/features/generations';

/** Rows are counted from the oldest card, so that a new card changes only the first row and no other picture is mounted again. */
export function rowsOf(items: Item[], columns: number): Item[][] {
  const firstRow = items.length % columns || columns;
  const ends = Array.from({ length: Math.ceil(items.length / columns) }, (_, row) => firstRow + row * columns);
  return ends.map((end) => items.slice(Math.max(0, end - columns), end));
}
