/** The one gallery: every source is merged into it, and every screen reads from it. */

import type { QueryClient } from '@tanstack/react-query';

import { readDisk, writeDisk } from '@/lib/disk';
import { session } from '@/lib/session';

import * as deletions from './deletions';
import { drop, EMPTY, fromJob, type Gallery, merge } from './merge';
import * as outbox from './outbox';
import * as schemas from './schemas';
import type { Account, Answer, Item, Job } from './types';

const ON_DISK = 40;
const WRITE_AFTER = 300;

export const galleryKey = (userId: string | null) => ['gallery', userId] as const;
export const accountKey = (userId: string | null) => ['account', userId] as const;

/** The gallery that this phone had on disk. It is drawn before the server is read. */
export function openGallery(userId: string | null): Gallery {
  const entries = outbox.ofUser(userId);
  const gone = [...entries.filter((entry) => entry.isWithdrawn), ...deletions.ofUser(userId)].map(({ id }) => id);
  // The app may have ended before it wrote the gallery without these cards.
  const items = readDisk(`gallery.${userId}`, schemas.items) ?? [];
  return merge({ ...EMPTY, gone }, [...items, ...entries.map((entry) => outbox.toItem(entry))]);
}

/** Write every change of a gallery to disk soon after it. */
export function keepOnDisk(client: QueryClient): () => void {
  const timers = new Map<unknown, ReturnType<typeof setTimeout>>();
  return client.getQueryCache().subscribe(({ type, query }) => {
    const [name, userId] = query.queryKey;
    if (type !== 'updated' || name !== 'gallery') return;
    clearTimeout(timers.get(userId));
    timers.set(userId, setTimeout(() => {
      // Signed out or deleted, perhaps in another tab, which removed this gallery from the disk.
      if (!isHere(userId)) return;
      const { items } = client.getQueryData<Gallery>(query.queryKey) ?? EMPTY;
      // The outbox keeps the unsent requests.
      const onServer = items.filter(({ status }) => status !== 'sending' && status !== 'refused');
      writeDisk(`gallery.${userId}`, onServer.slice(0, ON_DISK));
    }, WRITE_AFTER));
  });
}

/** Whether this is the user of this phone, or the one whose pictures stay in sight. */
function isHere(userId: unknown): boolean {
  const now = session.get();
  return userId === now.userId || (userId !== null && userId === now.replaced);
}

export function galleryOf(client: QueryClient, userId: string | null): Gallery {
  return client.getQueryData<Gallery>(galleryKey(userId)) ?? openGallery(userId);
}

export function changeGallery(client: QueryClient, userId: string | null, change: (gallery: Gallery) => Gallery): void {
  client.setQueryData<Gallery>(galleryKey(userId), change(galleryOf(client, userId)));
}

export function absorb(client: QueryClient, userId: string | null, items: Item[]): void {
  const before = galleryOf(client, userId);
  changeGallery(client, userId, (gallery) => merge(gallery, items));
  // A job that the server has was delivered, even if the answer to the request was lost.
  for (const { id, status } of items) {
    if (status !== 'sending' && status !== 'refused' && !outbox.find(id)?.isWithdrawn) outbox.erase(id);
  }
  noteProgress(client, userId, before, galleryOf(client, userId));
}

/** Read the balance again:
 * a newly accepted job was paid for, and a failed or canceled one was refunded. */
export function noteProgress(client: QueryClient, userId: string | null, before: Gallery, now: Gallery): void {
  const known = new Map(before.items.map((item) => [item.id, stage(item)]));
  if (now.items.some((item) => stage(item) > (known.get(item.id) ?? 0))) {
    readBalanceAgain(client, userId);
  }
}

/** Replace a read in flight:
 * it began before the news, so its answer can be from before the refund. */
export function readBalanceAgain(client: QueryClient, userId: string | null): void {
  const queryKey = accountKey(userId);
  // TanStack itself replaces a read in flight only if it has data already, never the first one.
  void client.cancelQueries({ queryKey });
  void client.invalidateQueries({ queryKey });
}

/** The stage of the ledger: no entry, a hold (which a success only settles), or a refund. */
function stage({ status }: Item): number {
  if (status === 'failed' || status === 'canceled') return 2;
  return status === 'sending' || status === 'refused' ? 0 : 1;
}

export function absorbJobs(client: QueryClient, userId: string | null, jobs: Job[]): void {
  const items = jobs.flatMap((job) => fromJob(job) ?? []);
  const deleted = jobs.filter((job) => fromJob(job) === null).map(({ id }) => id);
  if (deleted.length > 0) changeGallery(client, userId, (gallery) => drop(gallery, deleted));
  absorb(client, userId, items);
}

export function absorbAnswer(client: QueryClient, userId: string | null, { job, credits }: Answer): void {
  absorbJobs(client, userId, [job]);
  client.setQueryData<Account>(accountKey(userId), (known) => known && { ...known, credits });
  // A refund may have overtaken this answer.
  readBalanceAgain(client, userId);
}

/** Store the account that the server sends after a grant, a revoke or a purchase.
 * Messages may arrive in any order, so the balance is read, too. */
export function absorbAccount(client: QueryClient, userId: string, account: Account): void {
  const queryKey = accountKey(userId);
  void client.cancelQueries({ queryKey });
  client.setQueryData<Account>(queryKey, account);
  readBalanceAgain(client, userId);
}
