/** The line of news at the top:
 * a recent problem, an action that can be undone, or the reason why nothing moves. */

import { useIsFetching } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { deletionRefused, UNDO_FOR, useGallery } from '@/features/generations';
import { useIsOnline } from '@/lib/foreground';
import { createStore, useStore } from '@/lib/store';
import { WALL } from '@/texts/gallery';

interface News {
  text: string;
  action?: { label: string; onPress: () => void };
}

const latest = createStore<News | null>(null);

/** Show a text on the current screen, even if the screen that reported it is closed. */
export const report = (text: string, action?: News['action']) => latest.set({ text, action });

deletionRefused.subscribe(() => {
  const text = deletionRefused.get();
  if (text !== null) report(text);
});

export function useNotice(): News | { text: string | null; action?: undefined } {
  const isOnline = useIsOnline();
  const isOut = useIsOut();
  const news = useStore(latest);
  useEffect(() => {
    if (!news) return;
    const timer = setTimeout(() => latest.set(null), UNDO_FOR - 500);
    return () => clearTimeout(timer);
  }, [news]);

  if (news) return { ...news, action: news.action && { ...news.action, onPress: pressed(news.action.onPress) } };
  if (!isOnline) return { text: WALL.offline };
  return { text: isOut ? WALL.outOfReach : null };
}

const pressed = (onPress: () => void) => () => {
  latest.set(null);
  onPress();
};

/** Whether the server is out of reach.
 * Each new try begins without a failure, so only a success means that the server is back. */
function useIsOut(): boolean {
  const { hasFailed } = useGallery();
  const isTrying = useIsFetching({ queryKey: ['gallery'] }) > 0;
  const [isOut, setOut] = useState(hasFailed);
  if (hasFailed && !isOut) setOut(true);
  if (!hasFailed && !isTrying && isOut) setOut(false);
  return hasFailed || isOut;
}
