/** The message of a card, and the action that helps.
 * The words are in texts/; a code without words there shows the server's message. */

import { costNothing, DELAYS, FAILURES, REFUSALS, STATUS } from '@/texts/generations';

import type { Delay, FailureCode, Item, RefusalCode } from './types';

const delays: Record<Delay, string> = DELAYS;
const failures: Partial<Record<string, string>> = FAILURES satisfies Record<FailureCode, string>;
const refusals: Partial<Record<string, string>> = REFUSALS satisfies Partial<Record<RefusalCode | 'other_account', string>>;

const COSTS_NOTHING: string[] = ['provider_unavailable', 'timed_out', 'worker_lost', 'internal', 'provider_rejected'];

/** The action that helps after a request without success: edit the prompt, retry, or get credits.
 * A code unknown to this version is retried. */
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

/** Return one line for the card: the progress of the generation, or the reason of its end. */
export function statusLine(item: Item): string {
  switch (item.status) {
    case 'sending':
      return item.delay ? delays[item.delay] : STATUS.sending;
    case 'refused':
      return (Object.hasOwn(refusals, item.code) && refusals[item.code]) || item.message;
    case 'queued':
      return STATUS.queued;
    case 'running':
    case 'waiting':
      return item.progress === null ? STATUS.running : STATUS.runningAt(Math.round(item.progress * 100));
    case 'succeeded':
      return STATUS.succeeded;
    case 'failed':
    case 'canceled': {
      const { code, message } = item.error;
      const line = (Object.hasOwn(failures, code) ? failures[code] : message) || FAILURES.internal;
      return COSTS_NOTHING.includes(code) ? costNothing(line) : line;
    }
    default:
      return item satisfies never;
  }
}
