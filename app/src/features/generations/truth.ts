/** Reads the state of all cards:
 * after every join, on every return to the app, and whenever a message may have been missed. */

import type { QueryClient } from '@tanstack/react-query';

import { MOST_IDS, readGallery, readJobs } from './api';
import { absorbJobs, galleryOf, noteProgress } from './cache';
import { fromJob, type Gallery, reconcile } from './merge';
import { isPending } from './types';

export async function readTruth(client: QueryClient, userId: string): Promise<Gallery> {
  const asOf = galleryOf(client, userId);
  const ids = asOf.items.filter(isPending).map(({ id }) => id).slice(0, MOST_IDS);
  const { items, cursor, jobs } = await readGallery(null, ids);
  const cards = jobs.flatMap((job) => fromJob(job) ?? []);
  const unknown = ids.filter((id) => !cards.some((card) => card.id === id));
  const before = galleryOf(client, userId);
  const now = reconcile(before, {
    page: items,
    jobs: cards,
    unknown,
    cursor,
    asOf,
  });
  noteProgress(client, userId, before, now);
  return now;
}

/** Read the status of the unfinished jobs from the server, instead of waiting for Realtime. */
export async function poll(client: QueryClient, userId: string): Promise<null> {
  const ids = galleryOf(client, userId).items.filter(isPending).map(({ id }) => id);
  if (ids.length > 0) absorbJobs(client, userId, await readJobs(ids));
  return null;
}
