/** How the caller's jobs stand: the fallback of an app that Realtime does not reach. */

import { answer, invalid, serve } from "../_shared/http.ts";
import { callAsUser } from "../_shared/rpc.ts";
import { isUuid } from "../_shared/shape.ts";
import { authenticate } from "../_shared/token.ts";

const MAX_IDS = 50;

async function status(request: Request, query: string): Promise<Response> {
  const token = await authenticate(request);
  const ids = new URLSearchParams(query).getAll("ids").join(",").split(",");
  if (ids.length > MAX_IDS || !ids.every(isUuid)) {
    throw invalid(`ids must be 1 to ${MAX_IDS} uuids, separated by commas.`);
  }
  return answer(200, await callAsUser("get_job_status", { p_ids: ids }, token));
}

serve("get_job_status", { GET: status });
