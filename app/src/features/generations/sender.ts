/** Delivers the outbox. The id makes repeating harmless, so a request is sent again until it has a final answer. */

import { type Answer, Refused, DELAYS } from './api';
import * as outbox from './outbox';
import type { Delay } from './types';

const LONGEST_PAUSE = 15_000;
/** A function may take long to wake, so a silent request is not given up; another one is sent beside it. */
const ASK_AGAIN_AFTER = 12_000;

export interface Deliveries {
  enqueue(entry: outbox.Entry): Promise<Answer>;
  cancel(id: string): Promise<Answer>;
  onAnswer(answer: Answer): void;
  /** It was withdrawn, but a worker has it already and may finish it. */
  onTooLate(id: string): void;
  /** The entry is still here, delayed or refused. */
  onChange(entry: outbox.Entry): void;
}

export type Outcome =
  | { kind: 'refused'; code: Refused['code']; message: string }
  | { kind: 'later'; delay: Delay; milliseconds: number };

/** Decide what a failed delivery means. Pure. */
export function after(error: unknown, attempt: number): Outcome {
  const pause = Math.min(LONGEST_PAUSE, 1000 * 2 ** Math.min(attempt, 10));
  if (!(error instanceof Refused)) return { kind: 'later', delay: 'offline', milliseconds: pause };
  const delay = DELAYS[error.code];
  if (!delay) return { kind: 'refused', code: error.code, message: error.message };
  return { kind: 'later', delay, milliseconds: (error.retryAfter ?? 0) * 1000 || pause };
}

export function createSender(deliveries: Deliveries) {
  const inFlight = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let isStopped = false;

  async function deliver(entry: outbox.Entry): Promise<void> {
    if (inFlight.has(entry.id) || isStopped) return;
    if (entry.isWithdrawn && !entry.isTried) return outbox.erase(entry.id);
    clearTimeout(timers.get(entry.id));
    inFlight.add(entry.id);
    outbox.change(entry.id, { isTried: true });
    const impatience = setTimeout(() => {
      inFlight.delete(entry.id);
      retry(entry.id);
    }, ASK_AGAIN_AFTER);
    try {
      const answer = await deliveries.enqueue(entry);
      const isWithdrawn = outbox.find(entry.id)?.isWithdrawn ?? false;
      const last = isWithdrawn ? await deliveries.cancel(entry.id) : answer;
      outbox.erase(entry.id);
      failures.delete(entry.id);
      if (isWithdrawn && last.job.status !== 'canceled') deliveries.onTooLate(entry.id);
      deliveries.onAnswer(last);
    } catch (error) {
      settle(entry.id, error);
    } finally {
      clearTimeout(impatience);
      inFlight.delete(entry.id);
    }
  }

  function settle(id: string, error: unknown): void {
    const attempt = failures.get(id) ?? 0;
    failures.set(id, attempt + 1);
    const outcome = after(error, attempt);
    if (outcome.kind === 'later') {
      timers.set(id, setTimeout(() => retry(id), outcome.milliseconds));
    } else if (outbox.find(id)?.isWithdrawn) {
      return outbox.erase(id);
    }
    // A refused token names no user: the next user who signs in sends the request, under the same id.
    const isDisowned = error instanceof Refused && error.code === 'unauthenticated';
    const changed = outbox.change(
      id,
      outcome.kind === 'later'
        ? { delay: outcome.delay, ...(isDisowned && { userId: null }) }
        : { delay: null, refusal: { code: outcome.code, message: outcome.message } },
    );
    if (changed) deliveries.onChange(changed);
  }

  function retry(id: string): void {
    const entry = outbox.find(id);
    if (entry) void deliver(entry);
  }

  return {
    /** Send all waiting requests of this user now. */
    flush(userId: string): void {
      for (const entry of outbox.ofUser(userId)) {
        if (!entry.refusal) void deliver(outbox.change(entry.id, { userId }) ?? entry);
      }
    },
    stop(): void {
      isStopped = true;
      timers.forEach(clearTimeout);
    },
  };
}
