/** Moves the keyboard's focus into a new screen, and back to where it was on return. A browser loses it with the screen that is hidden. */

import { usePathname } from 'expo-router';
import { useEffect, useRef } from 'react';

const FOCUSABLE = 'a[href], button:not([disabled]), textarea, input, [tabindex="0"]';

export function useKeptFocus(): void {
  const path = usePathname();
  const places = useRef(new Map<string, HTMLElement>());
  const shown = useRef(path);

  useEffect(() => {
    const note = ({ target }: FocusEvent) => {
      if (target instanceof HTMLElement) places.current.set(location.pathname, target);
    };
    document.addEventListener('focusin', note);
    return () => document.removeEventListener('focusin', note);
  }, []);

  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    // After the frame that shows the screen: what is hidden takes no focus.
    const frame = requestAnimationFrame(() => {
      const known = places.current.get(path);
      const place = known && isShown(known) ? known : [...document.querySelectorAll<HTMLElement>(FOCUSABLE)].find(isShown);
      place?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [path]);
}

const isShown = (element: HTMLElement): boolean => element.checkVisibility?.({ visibilityProperty: true }) ?? element.isConnected;
