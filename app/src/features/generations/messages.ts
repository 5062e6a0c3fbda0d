/** The texts that a user reads, by code, so that they can be translated. A code we do not know shows the server's text. */

import type { Delay, FailureCode, Item, RefusalCode } from './types';

export const FAILURES: Record<FailureCode, string> = {
  invalid_input: 'The model could not use this prompt.',
  content_rejected: 'This prompt isn’t allowed. Change it and try again.',
  provider_rejected: 'The model refused this one.',
  provider_unavailable: 'The model is out of reach right now.',
  timed_out: 'This took too long.',
  worker_lost: 'Something went wrong on our side.',
  canceled: 'You canceled this.',
  internal: 'Something went wrong on our side.',
};

export const REFUSALS: Partial<Record<string, string>> & Partial<Record<RefusalCode, string>> = {
  insufficient_credits: 'You’re out of credits. Add some, then tap Retry.',
  unknown_model: 'This model is no longer offered.',
  too_large: 'This prompt is too long.',
  invalid_request: 'The server did not understand this request.',
  id_conflict: 'Two requests got mixed up. Tap Retry.',
  other_account: 'Not sent by the account before. Tap Retry to send it from this one.',
};

const DELAYS: Record<Delay, string> = {
  offline: 'Waiting for a connection',
  server_busy: 'The server is busy, trying again',
  too_many_jobs: 'Waiting for a free place',
  signed_out: 'Waiting until you are signed in',
};

/** Of an output whose kind this version does not know. */
export const NOT_SHOWN = 'This version of the app cannot show it.';

const COSTS_NOTHING: string[] = ['provider_unavailable', 'timed_out', 'worker_lost', 'internal', 'provider_rejected'];

/** What helps a user whose request did not succeed: words to change, another try, or credits. A code we do not know is tried again. */
export type FirstAction = 'edit' | 'retry' | 'credits';

const FIRST_ACTIONS: Partial<Record<string, FirstAction>> = {
  invalid_input: 'edit',
  content_rejected: 'edit',
  provider_rejected: 'edit',
  invalid_request: 'edit',
  unknown_model: 'edit',
  too_large: 'edit',
  photo_lost: 'edit',
  photo_refused: 'edit',
  insufficient_credits: 'credits',
} satisfies Partial<Record<FailureCode | RefusalCode | 'photo_lost' | 'photo_refused', FirstAction>>;

export function firstActionOf(item: Item): FirstAction {
  const code = item.status === 'refused' ? item.code : 'error' in item ? item.error.code : '';
  return (Object.hasOwn(FIRST_ACTIONS, code) && FIRST_ACTIONS[code]) || 'retry';
}

/** One line for the card: how far the generation is, or why it ended. */
export function statusLine(item: Item): string {
  switch (item.status) {
    case 'sending':
      return item.delay ? DELAYS[item.delay] : 'Sending';
    case 'refused':
      return (Object.hasOwn(REFUSALS, item.code) && REFUSALS[item.code]) || item.message;
    case 'queued':
      return 'In line';
    case 'running':
    case 'waiting':
      return item.progress === null ? 'Painting' : `Painting, ${Math.round(item.progress * 100)}%`;
    case 'succeeded':
      return 'Finished';
    case 'failed':
    case 'canceled': {
      const { code, message } = item.error;
      const line = (isKnown(code) ? FAILURES[code] : message) || FAILURES.internal;
      return COSTS_NOTHING.includes(code) ? `${line} It cost nothing.` : line;
    }
    default:
      return item satisfies never;
  }
}

const isKnown = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code);
