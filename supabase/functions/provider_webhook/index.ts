/** A provider's webhook says "look again", nothing more: what came of the work is asked of the provider itself. */

import { readBody } from "../_shared/body.ts";
import { answer, invalid, serve } from "../_shared/http.ts";
import { callAsService } from "../_shared/rpc.ts";
import { isUuid, parseObject } from "../_shared/shape.ts";
import { checkSignature } from "./signature.ts";

const MAX_BYTES = 10_485_760; // predictions may carry their outputs inline, as data URIs

async function wake(request: Request, query: string): Promise<Response> {
  const body = await checkSignature(request.headers, () => readBody(request, MAX_BYTES));
  const { id, status } = parseObject(body);
  const job = new URLSearchParams(query).get("job");
  if (!isUuid(job)) throw invalid("job must be a uuid.");
  if (typeof id !== "string" || !/^[\w-]{1,100}$/.test(id)) throw invalid("id must be the id of a prediction.");

  // Work that has only begun is news where its reference never arrived. Replayed, late and foreign calls change nothing
  // there, and are not worth a retry of the provider.
  const isFinal = status !== "starting" && status !== "processing";
  await callAsService("wake_job", { p_id: job, p_provider_ref: id, p_is_final: isFinal });
  return answer(202, null);
}

serve("provider_webhook", { POST: wake });
