/** Keeps one private channel open on the user's topic.
 *
 * supabase-js joins again after errors, but not after the server closes a channel, which it does
 * when a token expires. A phone's socket dies in the background without an event. In both cases a
 * new channel is opened.
 */

import type { RealtimeChannel } from '@supabase/supabase-js';

import { parsed } from '@/lib/parse';
import { supabase } from '@/lib/supabase';

import * as schemas from './schemas';
import type { Account, Job } from './types';

const LONGEST_PAUSE = 10_000;

export interface Listener {
  onJob(job: Job): void;
  onAccount(account: Account): void;
  /** Messages arrive from now on; the caller must read earlier changes. */
  onJoined(): void;
  onLeft(): void;
}

// supabase-js identifies channels by topic alone: create a new one only after the old one is gone.
let turn: Promise<unknown> = Promise.resolve();

export function listen(userId: string, listener: Listener) {
  let channel: RealtimeChannel | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let isStopped = false;

  function open(): void {
    const opened = supabase.channel(`user:${userId}`, {
      config: { private: true, broadcast: { replication_ready: true } },
    });
    channel = opened;
    const isCurrent = () => channel === opened;
    opened
      .on('broadcast', { event: 'job' }, ({ payload }) => {
        const job = parsed(schemas.job, payload);
        if (job && isCurrent()) listener.onJob(job);
      })
      .on('broadcast', { event: 'account' }, ({ payload }) => {
        const account = parsed(schemas.account, payload);
        if (account && isCurrent()) listener.onAccount(account);
      })
      // A join does not mean that the database is streamed yet: the first listener after a quiet
      // time waits for it.
      .on('system', {}, ({ status }: { status?: string }) => {
        if (isCurrent() && status === 'ok') listener.onJoined();
      })
      .subscribe((status) => {
        if (isCurrent()) follow(status);
      });
  }

  function follow(status: string): void {
    if (status === 'SUBSCRIBED') {
      failures = 0;
      return listener.onJoined();
    }
    listener.onLeft();
    if (status !== 'CLOSED') return;
    clearTimeout(timer);
    timer = setTimeout(() => replace(false), Math.min(LONGEST_PAUSE, 250 * 2 ** Math.min(failures, 10)));
    failures += 1;
  }

  async function leave(withSocket: boolean): Promise<void> {
    clearTimeout(timer);
    const left = channel;
    channel = null;
    if (withSocket) await supabase.realtime.disconnect();
    if (left) await supabase.removeChannel(left);
  }

  /** Run a step after the earlier ones.
   * A failed step is handled like a closed channel, and the later steps still run. */
  function next(step: () => Promise<void>): void {
    turn = turn.then(step).catch(() => {
      if (!isStopped) follow('CLOSED');
    });
  }

  function replace(withSocket: boolean): void {
    listener.onLeft();
    next(async () => {
      await leave(withSocket);
      if (!isStopped) open();
    });
  }

  replace(false);
  return {
    /** Open a new channel on a new socket, because the old socket may be dead without an event. */
    renew: () => replace(true),
    stop(): void {
      isStopped = true;
      next(() => leave(false));
    },
  };
}
