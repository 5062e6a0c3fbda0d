/** Keeps the gallery up to date while the app is open. Mounted once, at the root. */

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import { onForeground, onOnline } from '@/lib/foreground';
import { useSession } from '@/lib/session';
import { createStore, useStore } from '@/lib/store';

import { cancel, enqueue, Unreachable } from './api';
import { absorb, absorbAccount, absorbAnswer, absorbJobs, changeGallery, galleryKey, keepOnDisk, readBalanceAgain } from './cache';
import { inheritUnsent } from './inheritance';
import { restore, withoutUnsent } from './merge';
import { modelsQuery } from './models';
import * as outbox from './outbox';
import { pollEvery } from './polling';
import { sweepPhotos, upload } from './photo-uploads';
import { listen } from './realtime';
import { createSender } from './sender';
import { poll } from './truth';
import { firstOf, isPending } from './types';
import { useDeletions } from './use-deletions';
import { useGallery } from './use-gallery';
import { fetchAhead } from './use-signed-url';

/** Milliseconds. After a longer time in the background, the socket may be dead and is replaced. */
const SOCKET_DIES_AFTER = 10_000;

/** Whether Realtime messages arrive now. */
const isLive = createStore(false);

/** Changes when the outbox has a new request. */
const outboxBell = createStore(0);
export const ringOutbox = () => outboxBell.set(outboxBell.get() + 1);

export function useLiveUpdates(): void {
  const client = useQueryClient();
  const { userId, isReady, replaced } = useSession();
  const user = isReady ? userId : null;
  useEffect(() => keepOnDisk(client), [client]);
  useInheritance(user, replaced);
  useOutbox(user);
  useDeletions(user);
  useChannel(user);
  usePolling(user);
}

/** Take over the inheritance before the outbox is sent. */
function useInheritance(userId: string | null, replaced: string | null | undefined): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!userId || !replaced) return;
    inheritUnsent(replaced, userId);
    const wanted = outbox.ofUser(userId).filter((entry) => !entry.isWithdrawn);
    absorb(client, userId, wanted.map((entry) => outbox.toItem(entry)));
  }, [client, userId, replaced]);
}

function useOutbox(userId: string | null): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!userId) return;
    const sender = createSender(userId, {
      firstModel: async () => {
        const model = firstOf(await client.fetchQuery(modelsQuery));
        if (!model) throw new Unreachable('no model is enabled', 'server_busy');
        return model.id;
      },
      upload,
      enqueue: (request) => enqueue(request, userId),
      cancel,
      onAnswer: (answer) => absorbAnswer(client, userId, answer),
      onTooLate: (id) => changeGallery(client, userId, (gallery) => restore(gallery, id)),
      onGone: (id) => {
        changeGallery(client, userId, (gallery) => withoutUnsent(gallery, id));
        void client.invalidateQueries({ queryKey: galleryKey(userId) });
      },
      onChange: (entry) => {
        if (entry.isWithdrawn) return;
        absorb(client, entry.userId ?? userId, [outbox.toItem(entry, new Date().toISOString())]);
        if (entry.refusal) readBalanceAgain(client, userId);
      },
    });
    const flush = () => sender.flush();
    flush();
    void sweepPhotos(Date.now());
    const stops = [outboxBell.subscribe(flush), onForeground(flush), onOnline(flush)];
    return () => {
      stops.forEach((stop) => stop());
      sender.stop();
    };
  }, [client, userId]);
}

function useChannel(userId: string | null): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!userId) return;
    const channel = listen(userId, {
      onJob: (job) => {
        fetchAhead(client, job);
        absorbJobs(client, userId, [job]);
      },
      onAccount: (account) => absorbAccount(client, userId, account),
      onJoined: () => {
        isLive.set(true);
        void client.invalidateQueries({ queryKey: galleryKey(userId) });
      },
      onLeft: () => isLive.set(false),
    });
    const stop = onForeground((awayFor) => {
      if (awayFor > SOCKET_DIES_AFTER || !isLive.get()) channel.renew();
    });
    return () => {
      stop();
      channel.stop();
      isLive.set(false);
    };
  }, [client, userId]);
}

function usePolling(userId: string | null): void {
  const client = useQueryClient();
  const isJoined = useStore(isLive);
  const pending = useGallery().items.filter(isPending).length;
  useQuery({
    queryKey: ['poll', userId],
    queryFn: () => (userId ? poll(client, userId) : null),
    enabled: userId !== null,
    initialData: null,
    staleTime: Infinity,
    retry: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    refetchInterval: pollEvery({ pending, isJoined }),
  });
}
