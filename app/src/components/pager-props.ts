/** What the pagers of a phone and of a browser have in common. */

import { type ReactNode, type Ref, useState } from 'react';

export interface PagerHandle {
  /** One page on, or back. */
  step: (by: 1 | -1) => void;
  /** Larger above 1, smaller below it; 0 is the whole page again. */
  zoom: (factor: number) => void;
}

export interface PagerProps {
  ref?: Ref<PagerHandle>;
  /** The page in the middle and its neighbours; null at an end. */
  pages: [previous: string | null, current: string, next: string | null];
  render: (page: string, isCurrent: boolean) => ReactNode;
  /** Words are read and marked; only a picture is enlarged. */
  kind: 'picture' | 'player' | 'words';
  onMove: (by: 1 | -1) => void;
}

export const TURN = 220; // milliseconds
export const DOUBLE_TAP = 2.5;

/** A page keeps its place for as long as it is drawn, so that nothing jumps when another becomes the middle one. */
export function usePlace(current: string) {
  const [at, setAt] = useState({ page: current, place: 0 });
  const [coming, setComing] = useState<typeof at | null>(null);
  if (at.page !== current) setAt(coming?.page === current ? coming : { page: current, place: at.place });
  return { place: at.place, expectAt: (page: string, place: number) => setComing({ page, place }) };
}
