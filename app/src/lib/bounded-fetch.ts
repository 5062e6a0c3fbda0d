/** A fetch that a time limit or its signal ends:
 * a server that accepts and never answers, or stops in the middle, counts as one that is down. */

const MAX_MILLISECONDS = 15_000;

export function boundedFetch(
  input: RequestInfo | URL,
  init: RequestInit = {},
  milliseconds = MAX_MILLISECONDS,
): Promise<Response> {
  // React Native has no AbortSignal.timeout or .any.
  const controller = new AbortController();
  const abort = () => controller.abort();
  // Both stay armed: fetch resolves with the headers, and the body can stall after them.
  // A finished call ignores them.
  setTimeout(abort, milliseconds);
  init.signal?.addEventListener('abort', abort);
  if (init.signal?.aborted) abort();
  return fetch(input, { ...init, signal: controller.signal });
}
