/** A keyboard that comes back to the wall goes on at the card that it opened. */

import { useFocusEffect } from 'expo-router';
import { useCallback, useRef } from 'react';
import { Platform } from 'react-native';

export function useKeptFocus(): void {
  const left = useRef<Element | null>(null);
  useFocusEffect(
    useCallback(() => {
      if (Platform.OS !== 'web') return;
      const last = left.current;
      // The screen is still hidden while it is told that it is in front.
      const frame = requestAnimationFrame(() => last instanceof HTMLElement && last.isConnected && last.focus({ preventScroll: true }));
      const note = ({ target }: FocusEvent) => {
        if (target instanceof Element && target.closest('[data-testid^="card-"]')) left.current = target;
      };
      document.addEventListener('focusin', note);
      return () => {
        cancelAnimationFrame(frame);
        document.removeEventListener('focusin', note);
      };
    }, []),
  );
}
