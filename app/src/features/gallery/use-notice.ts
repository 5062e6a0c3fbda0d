/** The one line of news at the top: a problem just now, or why nothing moves. */

import { useEffect, useState } from 'react';

import { useGallery } from '@/features/generations';
import { useIsOnline } from '@/lib/foreground';

const SHOWN_FOR = 5000;

export function useNotice(): [string | null, (problem: string) => void] {
  const isOnline = useIsOnline();
  const { hasFailed } = useGallery();
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (!problem) return;
    const timer = setTimeout(() => setProblem(null), SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [problem]);

  const standing = !isOnline
    ? 'You’re offline. What you ask for is kept and sent later.'
    : hasFailed
      ? 'The server is out of reach. Trying again.'
      : null;
  return [problem ?? standing, setProblem];
}
