/** The keyboard shortcuts of a screen, in a browser.
 * A focused text field, and a panel above the screen, keep their keys. */

import { useIsFocused } from 'expo-router';
import { useEffect } from 'react';
import { Platform } from 'react-native';

export function useKeys(keys: Record<string, () => void>): void {
  const isInFront = useIsFocused();
  useEffect(() => {
    if (Platform.OS !== 'web' || !isInFront) return;
    const press = (event: KeyboardEvent) => {
      const action = keys[event.key];
      const isTaken = event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey;
      if (!action || isTaken || (event.target as HTMLElement).closest('input, textarea, video, audio, [aria-modal]')) return;
      event.preventDefault();
      action();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  });
}
