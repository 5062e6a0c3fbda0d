/** Deletes the cards on the server that the user deleted and did not bring back, now or in an
 * earlier run. Mounted once. */

import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { AppState } from 'react-native';

import { onForeground, onOnline } from '@/lib/foreground';

import { Refused } from './api';
import { changeGallery } from './cache';
import { bell, type Deletion, deletionRefused, finish, ofUser, takeBack, UNDO_FOR } from './deletions';
import { merge, restore } from './merge';

const AGAIN_AFTER = 15_000;

export function useDeletions(userId: string | null): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!userId) return;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const recordFailure = ({ id, card }: Deletion, error: unknown) => {
      // After any other error the deletion is tried again.
      if (!(error instanceof Refused) || !takeBack(id)) return;
      changeGallery(client, userId, (gallery) => merge(restore(gallery, id), card ? [card] : []));
      deletionRefused.set(error.message);
    };

    const look = (isLeaving = false) => {
      clearTimeout(timer);
      const now = Date.now();
      // A deletion that seems to be further ahead was noted before the clock was set back.
      const isLater = ({ at }: Deletion) => at > now && at <= now + UNDO_FOR;
      const [due, later] = [ofUser(userId).filter((known) => isLeaving || !isLater(known)), ofUser(userId).filter(isLater)];
      due.forEach((deletion) => void finish(deletion).catch((error: unknown) => recordFailure(deletion, error)));
      if (due.length + later.length === 0) return;
      // A deletion that failed is tried again.
      const pauses = [...later.map(({ at }) => at - now), ...due.map(() => AGAIN_AFTER)];
      timer = setTimeout(look, Math.min(...pauses));
    };

    look();
    const leaving = AppState.addEventListener('change', (state) => {
      if (state === 'background') look(true);
    });
    const stops = [bell.subscribe(() => look()), onForeground(() => look()), onOnline(() => look()), () => leaving.remove()];
    return () => {
      clearTimeout(timer);
      stops.forEach((stop) => stop());
    };
  }, [client, userId]);
}
