/** The places of the cards: columns of one width, true proportions, newest first. Pure. */

export interface Placed {
  id: string;
  left: number;
  top: number;
  width: number;
  /** The height by the proportions; words may need more. */
  height: number;
}

interface Card {
  id: string;
  /** Width divided by height. */
  ratio: number;
  /** The height that its words need, in pixels. */
  least?: number;
}

export const GAP = 10;

/** The number of columns.
 * The caller divides the width by the font scale: large letters need wide columns. */
export const columnsOf = (width: number): number => (width < 260 ? 1 : width < 560 ? 2 : width < 1000 ? 3 : width < 1600 ? 4 : 5);

/** Put each card where the wall is shortest,
 * so that reading order and the order of the cards stay close. */
export function layOut(cards: Card[], width: number, fontScale = 1): { placed: Placed[]; height: number } {
  const count = columnsOf(width / fontScale);
  const wide = Math.floor((width - GAP * (count - 1)) / count);
  const bottoms = Array.from({ length: count }, () => 0);
  const placed = cards.map(({ id, ratio, least = 0 }) => {
    const shortest = Math.min(...bottoms);
    // A few pixels of difference must not send the next card to the right.
    const column = bottoms.findIndex((bottom) => bottom < shortest + GAP);
    const top = bottoms[column] ?? 0;
    const height = Math.round(wide / ratio);
    bottoms[column] = top + Math.max(height, least) + GAP;
    return { id, left: column * (wide + GAP), top, width: wide, height };
  });
  return { placed, height: Math.max(...bottoms) };
}

/** The cards in the visible part of the wall, and those at most `reach` pixels away from it. */
export const near = (placed: Placed[], top: number, bottom: number, reach: number): Placed[] =>
  placed.filter((card) => card.top < bottom + reach && card.top + card.height > top - reach);
