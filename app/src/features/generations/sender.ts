/** Delivers the outbox.
 * The id makes a repeat harmless, so a request is sent again until it has a final answer. */

import { Refused, Unreachable } from './api';
import * as outbox from './outbox';
import { photosOf, withPaths } from './photo-marks';
import type { Answer, Delay, GenerationRequest } from './types';

const LONGEST_PAUSE = 15_000;
/** Milliseconds; the longest wait that a server can demand.
 * A timer of more than 24 days would fire at once. */
const LONGEST_WAIT = 3_600_000;
/** Milliseconds; the shortest wait that a server can demand.
 * Without it a request could be sent in a tight loop. */
const SHORTEST_WAIT = 1000;
/** Milliseconds. A cold function may answer late, so a silent request is not given up:
 * a second one is sent beside it. */
const ASK_AGAIN_AFTER = 12_000;

export interface Deliveries {
  /** The model of a request that was made before this phone had a list of models. */
  firstModel(): Promise<string>;
  /** Store a photo of the request where the server finds it. A repeat is harmless. */
  upload(userId: string, photoId: string): Promise<void>;
  enqueue(request: GenerationRequest): Promise<Answer>;
  cancel(id: string): Promise<Answer>;
  onAnswer(answer: Answer): void;
  /** Called after a late withdrawal: a worker has the request already and may finish it. */
  onTooLate(id: string): void;
  /** Called when the entry is still here, delayed or refused. */
  onChange(entry: outbox.Entry): void;
  /** Called when another tab has sent or withdrawn it. */
  onGone(id: string): void;
}

export type Outcome =
  | { kind: 'refused'; code: string; message: string }
  | { kind: 'later'; delay: Delay; milliseconds: number };

/** Decide the outcome of a failed delivery. Pure. */
export function after(error: unknown, attempt: number): Outcome {
  if (error instanceof Refused) return { kind: 'refused', code: error.code, message: error.message };
  const pause = Math.min(LONGEST_PAUSE, 1000 * 2 ** Math.min(attempt, 10));
  const { delay, retryAfter } = error instanceof Unreachable ? error : new Unreachable(String(error));
  const wait = (retryAfter ?? 0) * 1000 || pause;
  return { kind: 'later', delay, milliseconds: Math.min(LONGEST_WAIT, Math.max(SHORTEST_WAIT, wait)) };
}

/** Create a sender for one user, whose token goes with every call. */
export function createSender(userId: string, deliveries: Deliveries) {
  const inFlight = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let isStopped = false;

  async function deliver(id: string): Promise<void> {
    if (inFlight.has(id) || isStopped) return;
    clearTimeout(timers.get(id));
    inFlight.add(id);
    const repetition = setTimeout(() => {
      inFlight.delete(id);
      void deliver(id);
    }, ASK_AGAIN_AFTER);
    try {
      await send(id);
    } catch (error) {
      recordFailure(id, error);
    } finally {
      clearTimeout(repetition);
      inFlight.delete(id);
    }
  }

  async function send(id: string): Promise<void> {
    const asked = wanted(id);
    if (!asked) return;
    const model = asked.model ?? (await deliveries.firstModel());
    for (const photoId of photosOf(asked.input)) await deliveries.upload(userId, photoId);
    // Look again after the last wait: another tab may have withdrawn or sent it.
    const entry = wanted(id);
    if (!entry) return;
    outbox.change(id, { userId, model: entry.model ?? model, isTried: true });
    const input = withPaths(entry.input, userId);
    await follow(id, await deliveries.enqueue({ id, model: entry.model ?? model, input }));
  }

  // Requested before this phone had a user, or by this user.
  const isOurs = (entry: outbox.Entry) => entry.userId === null || entry.userId === userId;

  /** The entry if it is still to be sent. */
  function wanted(id: string): outbox.Entry | null {
    const entry = outbox.find(id);
    if (entry?.refusal) deliveries.onChange(entry);
    else if (entry && !isOurs(entry)) return null;
    else if (entry && (entry.isTried || !entry.isWithdrawn)) return entry;
    else {
      outbox.erase(id);
      deliveries.onGone(id);
    }
    return null;
  }

  async function follow(id: string, answer: Answer): Promise<void> {
    const isWithdrawn = outbox.find(id)?.isWithdrawn ?? false;
    const last = isWithdrawn ? await deliveries.cancel(id) : answer;
    outbox.erase(id);
    failures.delete(id);
    if (isWithdrawn && last.job.status !== 'canceled') deliveries.onTooLate(id);
    deliveries.onAnswer(last);
  }

  function recordFailure(id: string, error: unknown): void {
    const attempt = failures.get(id) ?? 0;
    failures.set(id, attempt + 1);
    const outcome = after(error, attempt);
    if (outcome.kind === 'later') {
      timers.set(id, setTimeout(() => void deliver(id), outcome.milliseconds));
    } else if (outbox.find(id)?.isWithdrawn) {
      return outbox.erase(id);
    }
    const changed = outbox.change(
      id,
      outcome.kind === 'later'
        ? { delay: outcome.delay }
        : { delay: null, refusal: { code: outcome.code, message: outcome.message } },
    );
    if (changed) deliveries.onChange(changed);
  }

  return {
    /** Send all waiting requests of this user now. */
    flush(): void {
      for (const entry of outbox.ofUser(userId)) {
        if (entry.refusal) continue;
        if (entry.userId === null) outbox.change(entry.id, { userId });
        void deliver(entry.id);
      }
    },
    stop(): void {
      isStopped = true;
      timers.forEach(clearTimeout);
    },
  };
}
