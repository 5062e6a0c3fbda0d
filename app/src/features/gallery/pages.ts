/** The pages of the picture screen:
 * every output of every finished generation, in the order of the wall. Pure. */

import type { Item } from '@/features/generations';

export interface Page {
  key: string;
  item: Item;
  /** The index of the output in its generation. */
  index: number;
}

/** The generation `id` has a page, however it ended.
 * The others have pages only if they have something to show. */
export const pagesOf = (items: Item[], id: string): Page[] =>
  items.flatMap((item) => {
    const count = item.status === 'succeeded' ? item.output.length : 0;
    const pages = Array.from({ length: item.id === id ? Math.max(1, count) : count }, (_, index) => index);
    return pages.map((index) => ({ key: `${item.id}/${index}`, item, index }));
  });
