/** Delivers the outbox. The id makes repeating harmless, so a request is sent again until it has a final answer. */

import { Refused, Unreachable } from './api';
import * as outbox from './outbox';
import type { Answer, Delay, GenerationRequest } from './types';

const LONGEST_PAUSE = 15_000;
/** A function may take long to wake, so a silent request is not given up; another one is sent beside it. */
const ASK_AGAIN_AFTER = 12_000;

export interface Deliveries {
  /** The model of a request that was made before this phone had a list of models. */
  firstModel(): Promise<string>;
  enqueue(request: GenerationRequest): Promise<Answer>;
  cancel(id: string): Promise<Answer>;
  onAnswer(answer: Answer): void;
  /** It was withdrawn, but a worker has it already and may finish it. */
  onTooLate(id: string): void;
  /** The entry is still here, delayed or refused. */
  onChange(entry: outbox.Entry): void;
  /** Another tab has sent it or withdrawn it. */
  onGone(id: string): void;
}

export type Outcome =
  | { kind: 'refused'; code: string; message: string }
  | { kind: 'later'; delay: Delay; milliseconds: number };

/** Decide what a failed delivery means. Pure. */
export function after(error: unknown, attempt: number): Outcome {
  if (error instanceof Refused) return { kind: 'refused', code: error.code, message: error.message };
  const pause = Math.min(LONGEST_PAUSE, 1000 * 2 ** Math.min(attempt, 10));
  const { delay, retryAfter } = error instanceof Unreachable ? error : new Unreachable(String(error));
  return { kind: 'later', delay, milliseconds: (retryAfter ?? 0) * 1000 || pause };
}

export function createSender(deliveries: Deliveries) {
  const inFlight = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let isStopped = false;

  async function deliver(id: string): Promise<void> {
    if (inFlight.has(id) || isStopped) return;
    clearTimeout(timers.get(id));
    inFlight.add(id);
    const impatience = setTimeout(() => {
      inFlight.delete(id);
      void deliver(id);
    }, ASK_AGAIN_AFTER);
    try {
      await send(id);
    } catch (error) {
      settle(id, error);
    } finally {
      clearTimeout(impatience);
      inFlight.delete(id);
    }
  }

  async function send(id: string): Promise<void> {
    const model = outbox.find(id)?.model ?? (await deliveries.firstModel());
    // Read after the last wait: another tab may have withdrawn or sent it.
    const entry = outbox.find(id);
    if (!entry) return deliveries.onGone(id);
    if (entry.refusal) return deliveries.onChange(entry);
    if (entry.isWithdrawn && !entry.isTried) {
      outbox.erase(id);
      return deliveries.onGone(id);
    }
    outbox.change(id, { model: entry.model ?? model, isTried: true });
    await follow(id, await deliveries.enqueue({ id, model: entry.model ?? model, input: entry.input }));
  }

  async function follow(id: string, answer: Answer): Promise<void> {
    const isWithdrawn = outbox.find(id)?.isWithdrawn ?? false;
    const last = isWithdrawn ? await deliveries.cancel(id) : answer;
    outbox.erase(id);
    failures.delete(id);
    if (isWithdrawn && last.job.status !== 'canceled') deliveries.onTooLate(id);
    deliveries.onAnswer(last);
  }

  function settle(id: string, error: unknown): void {
    const attempt = failures.get(id) ?? 0;
    failures.set(id, attempt + 1);
    const outcome = after(error, attempt);
    if (outcome.kind === 'later') {
      timers.set(id, setTimeout(() => void deliver(id), outcome.milliseconds));
    } else if (outbox.find(id)?.isWithdrawn) {
      return outbox.erase(id);
    }
    // A refused token names no user: the next user who signs in sends the request, under the same id.
    const isDisowned = error instanceof Unreachable && error.isUnauthenticated;
    const changed = outbox.change(
      id,
      outcome.kind === 'later'
        ? { delay: outcome.delay, ...(isDisowned && { userId: null }) }
        : { delay: null, refusal: { code: outcome.code, message: outcome.message } },
    );
    if (changed) deliveries.onChange(changed);
  }

  return {
    /** Send all waiting requests of this user now. */
    flush(userId: string): void {
      for (const entry of outbox.ofUser(userId)) {
        if (entry.refusal) continue;
        if (entry.userId !== userId) outbox.change(entry.id, { userId });
        void deliver(entry.id);
      }
    },
    stop(): void {
      isStopped = true;
      timers.forEach(clearTimeout);
    },
  };
}
