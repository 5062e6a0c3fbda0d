/** Wakes the functions before the first tap needs them.
 * Nothing waits for it, and failures are ignored. */

import { boundedFetch } from './bounded-fetch';
import { onForeground } from './foreground';
import { SUPABASE_URL } from './supabase';

const COLD_AFTER = 5 * 60_000;
const MAX_MILLISECONDS = 8_000;

// Each function is an isolate of its own, and OPTIONS wakes it without touching the database.
const CALLS = [
  ['GET', 'ping'],
  ['OPTIONS', 'enqueue_generation'],
  ['OPTIONS', 'get_job_status'],
] as const;

export function warm(): void {
  for (const [method, name] of CALLS) {
    boundedFetch(`${SUPABASE_URL}/functions/v1/${name}`, { method }, MAX_MILLISECONDS).catch(() => {});
  }
}

/** Wake them after the first paint, and on return to the foreground when they may be cold again. */
export function keepWarm(): () => void {
  const frame = requestAnimationFrame(() => requestAnimationFrame(warm));
  const stop = onForeground((awayFor) => {
    if (awayFor > COLD_AFTER) warm();
  });
  return () => {
    cancelAnimationFrame(frame);
    stop();
  };
}
