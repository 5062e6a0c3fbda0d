/** Four sources feed one gallery in any order. A merge never goes backwards.
 * Pure: no clock, no network. */

import { type Cursor, hasEnded, isPending, type Item, type ItemStatus, type Job } from './types';

export interface Gallery {
  /** Newest request first. */
  items: Item[];
  /** The end of the last page that was read; null when there is nothing older. */
  cursor: Cursor | null;
  /** Deleted here. A message that was on its way must not bring them back. */
  gone: readonly string[];
}

export const EMPTY: Gallery = { items: [], cursor: null, gone: [] };

const RANK: Record<ItemStatus, number> = {
  sending: 0,
  refused: 1,
  queued: 2,
  running: 3,
  waiting: 3,
  succeeded: 4,
  failed: 4,
  canceled: 4,
};

/** The card of a job; null when its generation was deleted. */
export function fromJob({ id, model, input, status, progress, generation, ...job }: Job): Item | null {
  const asked = { id, model, input, requestedAt: job.created_at ?? job.updated_at, updatedAt: job.updated_at };
  switch (status) {
    case 'succeeded':
      return generation && { ...asked, status, output: generation.output ?? [] };
    case 'failed':
    case 'canceled':
      return (
        generation && { ...asked, status, error: generation.error ?? { code: 'internal', message: null } }
      );
    case 'queued':
    case 'running':
      return { ...asked, status, progress };
    default:
      // A status of a later server: the job was paid for, so it stays in sight until it ends.
      return { ...asked, status: 'waiting', progress };
  }
}

export function merge(gallery: Gallery, incoming: Item[]): Gallery {
  const items = new Map(gallery.items.map((item) => [item.id, item]));
  let isNews = false;
  for (const item of incoming) {
    if (gallery.gone.includes(item.id)) continue;
    const known = items.get(item.id);
    const next = known ? further(known, item) : item;
    isNews ||= next !== known;
    items.set(item.id, next);
  }
  // The same object signals that there is nothing to draw.
  return isNews ? { ...gallery, items: [...items.values()].sort(newestFirst) } : gallery;
}

export function drop(gallery: Gallery, ids: string[]): Gallery {
  return { ...gallery, items: gallery.items.filter(({ id }) => !ids.includes(id)), gone: [...gallery.gone, ...ids] };
}

/** Remove an unsent card, because another tab has sent or withdrawn it.
 * If it was sent, the server will return it. */
export function withoutUnsent(gallery: Gallery, id: string): Gallery {
  return { ...gallery, items: gallery.items.filter((item) => item.id !== id || item.status !== 'sending') };
}

/** Let a dropped card come back, because the server still has it. */
export function restore(gallery: Gallery, id: string): Gallery {
  return { ...gallery, gone: gallery.gone.filter((gone) => gone !== id) };
}

/** The first page of the server, and its unfinished jobs. */
export interface Truth {
  page: Item[];
  jobs: Item[];
  /** The requested ids for which the server has no job. */
  unknown: string[];
  /** The end of a full page; null if there is no further page. */
  cursor: Cursor | null;
  /** The gallery before the server was read. */
  asOf: Gallery;
}

/** Drop the cards that the server no longer has, and keep those that it does not have yet. */
export function reconcile(gallery: Gallery, { page, jobs, unknown, cursor, asOf }: Truth): Gallery {
  const listed = new Set(page.map(({ id }) => id));
  const reaches = (item: Item) => cursor === null || compareTimes(item.updatedAt, cursor.at) > 0;
  const missing = asOf.items
    .filter((item) => hasEnded(item) && !listed.has(item.id) && reaches(item))
    .map(({ id }) => id);
  const lost = gallery.items.filter((item) => isPending(item) && unknown.includes(item.id)).map(({ id }) => id);
  const merged = merge(gallery, [...page, ...jobs]);
  const items = merged.items.filter(({ id }) => !missing.includes(id) && !lost.includes(id));
  // A full page without a known card leaves a gap below it: paging continues from its end.
  const isConnected = gallery.cursor !== null && asOf.items.some(({ id }) => listed.has(id));
  const end = isConnected ? gallery.cursor : cursor;
  const isSame = items.length === merged.items.length && end === gallery.cursor;
  return isSame ? merged : { ...merged, items, cursor: end };
}

/** Return the time of a new request: its card is on top, also on a phone whose clock is behind. */
export function timeOfRequest({ items }: Gallery, now: number): string {
  const newest = items[0] ? Date.parse(items[0].requestedAt) : 0;
  return new Date(Math.max(now, newest + 1)).toISOString();
}

function further(known: Item, incoming: Item): Item {
  const ahead =
    RANK[incoming.status] - RANK[known.status] || (hasEnded(known) ? 0 : compareTimes(incoming.updatedAt, known.updatedAt));
  return ahead > 0 ? { ...incoming, requestedAt: known.requestedAt } : known;
}

/** Compare two times. The database counts microseconds and Date milliseconds; within one
 * millisecond the texts decide. */
function compareTimes(one: string, other: string): number {
  return Date.parse(one) - Date.parse(other) || (one < other ? -1 : Number(one > other));
}

function newestFirst(one: Item, other: Item): number {
  return compareTimes(other.requestedAt, one.requestedAt) || (one.id < other.id ? -1 : 1);
}
