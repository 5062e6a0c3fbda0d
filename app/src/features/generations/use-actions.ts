/** The actions of a card:
 * cancel an unfinished job, retry or delete an ended one, report a finished one. */

import { useQueryClient } from '@tanstack/react-query';

import { useSession } from '@/lib/session';

import { cancel } from './api';
import { absorbAnswer, changeGallery } from './cache';
import { note, takeBack, UNDO_FOR } from './deletions';
import { drop, merge, restore } from './merge';
import * as outbox from './outbox';
import { hasEnded, type Item } from './types';
import { useGenerate } from './use-generate';
import { ringOutbox } from './use-live-updates';

export function useActions() {
  const client = useQueryClient();
  const { userId, replaced } = useSession();
  const generate = useGenerate();

  const hide = ({ id }: Item) => changeGallery(client, userId, (gallery) => drop(gallery, [id]));

  function discard(item: Item, replacedBy: string | null): void {
    hide(item);
    if (replacedBy && !hasEnded(item)) return outbox.erase(item.id);
    const at = Date.now() + (replacedBy ? 0 : UNDO_FOR);
    note({ id: item.id, userId, at, isOnServer: hasEnded(item), replacedBy, left: replaced ?? null, card: hasEnded(item) ? item : null });
  }

  /** Hide the card now. The server is called when the time to undo is over. */
  const deleteItem = (item: Item) => discard(item, null);

  /** Undo a deletion. Returns whether there was still time. */
  function undoDelete(item: Item): boolean {
    const isInTime = takeBack(item.id);
    if (isInTime) changeGallery(client, userId, (gallery) => merge(restore(gallery, item.id), [item]));
    return isInTime;
  }

  /** Cancel, and return whether it is over.
   * A worker in the middle of it is only requested to stop. */
  async function cancelItem(item: Item): Promise<boolean> {
    if (item.status === 'sending') {
      hide(item);
      outbox.change(item.id, { isWithdrawn: true });
      ringOutbox();
      return true;
    }
    const answer = await cancel(item.id);
    absorbAnswer(client, userId, answer);
    return answer.job.status !== 'running';
  }

  /** Send a new request, with its own id, in the place of one that did not succeed. */
  function retryItem(item: Item): string {
    const id = generate(item.model, item.input, item.requestedAt);
    discard(item, id);
    return id;
  }

  return { cancelItem, deleteItem, retryItem, undoDelete };
}
