/** Reads the state of all cards: after every join, on every return to the app, whenever a message may have been missed. */

import type { QueryClient } from '@tanstack/react-query';

import { MOST_IDS, readJobs, readPage, readUnfinished } from './api';
import { absorbJobs, galleryOf, noteProgress } from './cache';
import { fromJob, type Gallery, reconcile } from './merge';
import { isPending } from './types';

export async function readTruth(client: QueryClient, userId: string): Promise<Gallery> {
  const asOf = galleryOf(client, userId);
  // In this order: a job that ends in between is on the page, and not lost between the two answers.
  const unfinished = await readUnfinished();
  const page = await readPage(null);
  const found = new Set([...unfinished, ...page.items].map(({ id }) => id));
  const asked = asOf.items.filter((item) => isPending(item) && !found.has(item.id)).slice(0, MOST_IDS);
  const ids = asked.map(({ id }) => id);
  const jobs = ids.length > 0 ? await readJobs(ids) : [];
  const unknown = ids.filter((id) => !jobs.some((job) => job.id === id && fromJob(job)));
  const before = galleryOf(client, userId);
  const now = reconcile(before, {
    page: page.items,
    jobs: [...unfinished, ...jobs.flatMap((job) => fromJob(job) ?? [])],
    unknown,
    cursor: page.cursor,
    asOf,
  });
  noteProgress(client, userId, before, now);
  return now;
}

/** The status of the unfinished jobs, read from the server instead of heard from Realtime. */
export async function poll(client: QueryClient, userId: string): Promise<null> {
  const ids = galleryOf(client, userId).items.filter(isPending).map(({ id }) => id);
  if (ids.length > 0) absorbJobs(client, userId, await readJobs(ids));
  return null;
}
