/** One value that components can subscribe to and other code can set. */

import { useSyncExternalStore } from 'react';

export interface Store<T> {
  get(): T;
  /** The value in a page that was rendered in advance; a browser hydrates the page with it. */
  getInAdvance(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(value: T, inAdvance = value): Store<T> {
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    getInAdvance: () => inAdvance,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      listeners.forEach((listener) => listener());
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get, store.getInAdvance);
}
