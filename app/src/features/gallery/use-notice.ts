/** The line of news at the top: a problem just now, or why nothing moves. */

import { useEffect } from 'react';

import { useGallery } from '@/features/generations';
import { useIsOnline } from '@/lib/foreground';
import { createStore, useStore } from '@/lib/store';

const SHOWN_FOR = 5000;

const problem = createStore<string | null>(null);

/** Shown on the current screen, even if the screen that reported it is closed. */
export const report = problem.set;

export function useNotice(): string | null {
  const isOnline = useIsOnline();
  const { hasFailed } = useGallery();
  const said = useStore(problem);
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => problem.set(null), SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [said]);

  if (said) return said;
  if (!isOnline) return 'You’re offline. What you ask for is kept and sent later.';
  return hasFailed ? 'The server is out of reach. Trying again.' : null;
}
