/** A tap draws the card now and writes the request to disk now.
 * Both have the id that is charged at most once. */

import { useQueryClient } from '@tanstack/react-query';

import { useSession } from '@/lib/session';
import { uuidv7 } from '@/lib/uuid';

import { absorb, galleryOf } from './cache';
import { timeOfRequest } from './merge';
import * as outbox from './outbox';
import type { Input } from './types';
import { ringOutbox } from './use-live-updates';

export function useGenerate() {
  const client = useQueryClient();
  const { userId, isLost } = useSession();
  /** Send a request and return its id. `requestedAt` puts it in the place of another card. */
  return (model: string | null, input: Input, requestedAt = timeOfRequest(galleryOf(client, userId), Date.now())): string => {
    const id = uuidv7();
    const entry: outbox.Entry = {
      // Null on a new phone: the request belongs to the first user who signs in.
      ...{ id, model, input, userId, requestedAt },
      ...{ isTried: false, isWithdrawn: false, delay: isLost ? 'signed_out' : null, refusal: null },
    };
    outbox.put(entry);
    absorb(client, userId, [outbox.toItem(entry)]);
    ringOutbox();
    return id;
  };
}
