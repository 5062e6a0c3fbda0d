/** No call outlives its use: a server that accepts and never answers is as good as one that is down. */

const MAX_MILLISECONDS = 15_000;

export async function boundedFetch(
  input: RequestInfo | URL,
  init: RequestInit = {},
  milliseconds = MAX_MILLISECONDS,
): Promise<Response> {
  // AbortSignal.timeout and .any are missing in React Native.
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, milliseconds);
  init.signal?.addEventListener('abort', abort);
  if (init.signal?.aborted) abort();
  try {
    return await fetch(input, { ...init, signal: controller.signal });
  } finally {
    clearTimeout(timer);
    init.signal?.removeEventListener('abort', abort);
  }
}
