/** A body is bounded in bytes and in time before anything looks at it. */

import { invalid, Refused } from "./http.ts";

const MAX_MILLISECONDS = 10_000; // enough for a bad network; bounds an isolate's wait

export async function readBody(request: Request, maxBytes: number): Promise<Blob> {
  const tooLarge = new Refused(413, "too_large", `The body may have ${maxBytes} bytes.`);
  if (Number(request.headers.get("content-length")) > maxBytes) throw tooLarge;
  if (!request.body) return new Blob();

  const reader = request.body.getReader();
  const hangUp = () => reader.cancel().catch(() => {});
  // Cancelling ends a pending read, so a sender that stalls cannot hold the isolate.
  const deadline = AbortSignal.timeout(MAX_MILLISECONDS);
  deadline.addEventListener("abort", hangUp);
  try {
    const chunks: BlobPart[] = [];
    let size = 0;
    for (let next = await read(reader); !next.done; next = await read(reader)) {
      size += next.value.length;
      if (size > maxBytes) throw tooLarge;
      chunks.push(next.value);
    }
    if (deadline.aborted) throw new Refused(408, "too_slow", "The body took too long.");
    return new Blob(chunks);
  } finally {
    // Close the body, so that a client that is refused halfway stops sending.
    hangUp();
  }
}

async function read<Chunk>(reader: ReadableStreamDefaultReader<Chunk>): Promise<ReadableStreamReadResult<Chunk>> {
  try {
    return await reader.read();
  } catch {
    throw invalid("The body broke off.");
  }
}
