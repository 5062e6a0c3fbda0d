/** No call outlives its use: a server that accepts and never answers, or stops in the middle, is as good as one that is down. */

const MAX_MILLISECONDS = 15_000;

export function boundedFetch(
  input: RequestInfo | URL,
  init: RequestInit = {},
  milliseconds = MAX_MILLISECONDS,
): Promise<Response> {
  // AbortSignal.timeout and .any are missing in React Native.
  const controller = new AbortController();
  const abort = () => controller.abort();
  // Both stay armed: fetch resolves with the headers, and the body can stall after them. A call that is over ignores them.
  setTimeout(abort, milliseconds);
  init.signal?.addEventListener('abort', abort);
  if (init.signal?.aborted) abort();
  return fetch(input, { ...init, signal: controller.signal });
}
