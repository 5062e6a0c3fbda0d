/** The pages of the picture screen: every output of every finished generation, in the order of the wall. Pure. */

import type { Item } from '@/features/generations';

export interface Page {
  key: string;
  item: Item;
  /** Which of its outputs. */
  index: number;
}

/** The page of this generation is there, however it ended; of the others only those with something to show. */
export const pagesOf = (items: Item[], id: string): Page[] =>
  items.flatMap((item) => {
    const count = item.status === 'succeeded' ? item.output.length : 0;
    const pages = Array.from({ length: item.id === id ? Math.max(1, count) : count }, (_, index) => index);
    return pages.map((index) => ({ key: `${item.id}/${index}`, item, index }));
  });
