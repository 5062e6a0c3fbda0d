/** A provider's webhook means "look again". A worker asks the provider itself for the result. */

import { readBody } from "../_shared/body.ts";
import { answer, invalid, Refused, serve } from "../_shared/http.ts";
import { callAsService } from "../_shared/rpc.ts";
import { isUuid, parseObject } from "../_shared/shape.ts";
import { checkAddress, checkSignature } from "./signature.ts";

// A prediction repeats its input and logs. A larger one is refused; a worker polls a minute later.
const MAX_BYTES = 2_097_152;
// An isolate has 256 MB, and for a moment several copies of a body.
const MAX_BYTES_AT_ONCE = 8 * MAX_BYTES;

let bytesAtOnce = 0;

async function wake(request: Request, query: string): Promise<Response> {
  const parameters = new URLSearchParams(query);
  const job = parameters.get("job");
  if (!isUuid(job)) throw invalid("job must be a uuid.");
  await checkAddress(job, parameters.get("token") ?? "");
  const { id, status } = await readPrediction(request);
  if (typeof id !== "string" || !/^[\w-]{1,100}$/.test(id)) throw invalid("id must be the id of a prediction.");

  // A prediction that has only begun matters if its reference never arrived. Replayed, late and
  // foreign calls change nothing, and are not worth a retry of the provider.
  const isFinal = status !== "starting" && status !== "processing";
  await callAsService("wake_job", { p_id: job, p_provider_ref: id, p_is_final: isFinal });
  return answer(202, null);
}

/** Bounds what all requests together hold; the provider repeats what is refused for that reason. */
async function readPrediction(request: Request): Promise<Record<string, unknown>> {
  const declared = request.headers.get("content-length") ?? "";
  const bytes = /^\d{1,7}$/.test(declared) ? Math.min(Number(declared), MAX_BYTES) : MAX_BYTES;
  if (bytesAtOnce + bytes > MAX_BYTES_AT_ONCE) {
    throw new Refused(503, "unavailable", "Try again in a moment.", { "Retry-After": "2" });
  }
  bytesAtOnce += bytes;
  try {
    return parseObject(await checkSignature(request.headers, () => readBody(request, MAX_BYTES)));
  } finally {
    bytesAtOnce -= bytes;
  }
}

serve("provider_webhook", { POST: wake });
