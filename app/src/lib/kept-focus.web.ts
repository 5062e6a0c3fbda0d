/** Moves the keyboard's focus into a new screen, and back to its element on return.
 * A browser loses the focus with the screen that it hides. */

import { usePathname } from 'expo-router';
import { useEffect, useRef } from 'react';

const FOCUSABLE = 'a[href], button:not([disabled]), textarea, input, [tabindex="0"]';
const LONGEST_WAIT = 30; // frames until a screen that is shown again has its elements

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
    const left = places.current.get(path);
    let frame: number;
    // Look after the frame that shows the screen: a hidden element takes no focus.
    const look = (wait: number) => {
      frame = requestAnimationFrame(() => {
        const place = left && again(left);
        if (left && !place && wait > 0) return look(wait - 1);
        (place ?? [...document.querySelectorAll<HTMLElement>(FOCUSABLE)].find(isShown))?.focus({ preventScroll: true });
      });
    };
    look(LONGEST_WAIT);
    return () => cancelAnimationFrame(frame);
  }, [path]);
}

/** Return the element itself, or the link to the same place that a list has drawn anew. */
function again(left: HTMLElement): HTMLElement | undefined {
  const href = left.getAttribute('href');
  const drawn = href === null ? [] : [...document.querySelectorAll<HTMLElement>(`a[href="${CSS.escape(href)}"]`)];
  return [left, ...drawn].find(isShown);
}

const isShown = (element: HTMLElement): boolean =>
  element.isConnected && (element.checkVisibility?.({ visibilityProperty: true }) ?? true);
