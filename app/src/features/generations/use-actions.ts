/** The actions of a card: cancel an unfinished job, retry a failed one, delete an ended one. */

import { useQueryClient } from '@tanstack/react-query';

import { useSession } from '@/lib/session';

import { cancel, remove } from './api';
import { absorbAnswer, changeGallery, eraseLeft } from './cache';
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
  const bringBack = (item: Item) =>
    changeGallery(client, userId, (gallery) => merge(restore(gallery, item.id), [item]));

  /** Rejects when the server could not be told; the card is then back. */
  async function deleteItem(item: Item): Promise<void> {
    hide(item);
    outbox.erase(item.id);
    if (replaced) eraseLeft(replaced, item.id);
    if (!hasEnded(item)) return;
    await remove(item.id).catch((error: unknown) => {
      bringBack(item);
      throw error;
    });
  }

  /** Whether it is over; a worker in the middle of it is only asked to stop. */
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

  /** A new request, with an id of its own. A failed card stays until the user deletes it; a refused card is removed. */
  function retryItem(item: Item): string {
    if (item.status === 'refused') void deleteItem(item);
    return generate(item.model, item.input);
  }

  return { cancelItem, deleteItem, retryItem };
}
