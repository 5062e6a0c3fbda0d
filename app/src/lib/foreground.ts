/** The moments at which our data may be old: the app is in front again, or online again. */

import { onlineManager } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { AppState } from 'react-native';

/** Call back with the time for which the app was away, in milliseconds. */
export function onForeground(callback: (awayFor: number) => void): () => void {
  let leftAt: number | null = null;
  const subscription = AppState.addEventListener('change', (state) => {
    if (state !== 'active') {
      leftAt ??= Date.now();
      return;
    }
    callback(leftAt === null ? 0 : Date.now() - leftAt);
    leftAt = null;
  });
  return () => subscription.remove();
}

export function onOnline(callback: () => void): () => void {
  return onlineManager.subscribe((isOnline) => {
    if (isOnline) callback();
  });
}

export function useIsOnline(): boolean {
  return useSyncExternalStore((listener) => onlineManager.subscribe(listener), () => onlineManager.isOnline());
}
