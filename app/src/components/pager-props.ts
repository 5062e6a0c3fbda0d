/** The props that the pagers of a phone and of a browser share. */

import { type ReactNode, type Ref, useState } from 'react';

export interface PagerHandle {
  /** Go one page forward or back. */
  step: (by: 1 | -1) => void;
  /** Enlarge by a factor above 1, reduce by one below 1; 0 shows the whole page again. */
  zoom: (factor: number) => void;
}

export interface PagerProps {
  ref?: Ref<PagerHandle>;
  /** The page in the middle and its neighbours; null at an end. */
  pages: [previous: string | null, current: string, next: string | null];
  render: (page: string, isCurrent: boolean) => ReactNode;
  /** Only a picture can be enlarged. Words can be read and selected. */
  kind: 'picture' | 'player' | 'words';
  onMove: (by: 1 | -1) => void;
}

export const TURN = 220; // milliseconds
export const DOUBLE_TAP = 2.5;

/** A page keeps its place while it is drawn,
 * so that nothing jumps when another page becomes the middle one. */
export function usePlace(current: string) {
  const [at, setAt] = useState({ page: current, place: 0 });
  const [coming, setComing] = useState<typeof at | null>(null);
  if (at.page !== current) setAt(coming?.page === current ? coming : { page: current, place: at.place });
  return { place: at.place, expectAt: (page: string, place: number) => setComing({ page, place }) };
}
