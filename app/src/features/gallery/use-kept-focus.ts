/** A keyboard that comes back to a screen goes on where it left it. */

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
      return () => {
        cancelAnimationFrame(frame);
        left.current = document.activeElement;
      };
    }, []),
  );
}
