/** The tap: one request becomes at most one job, because the caller names it. */

import { readBody } from "../_shared/body.ts";
import { answer, invalid, Refused, serve } from "../_shared/http.ts";
import { callAsUser } from "../_shared/rpc.ts";
import { isObject, isUuid, parseObject } from "../_shared/shape.ts";
import { authenticate } from "../_shared/token.ts";

const MAX_BYTES = 65_536; // bounds reading and parsing; the database's bound is lower
const MAX_DEPTH = 32;

async function enqueue(request: Request): Promise<Response> {
  const token = await authenticate(request);
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get("content-type") ?? "")) {
    throw new Refused(415, "invalid_request", "The body must be application/json.");
  }
  const body = await readBody(request, MAX_BYTES);
  const { id, model, input, ...rest } = parseObject(await body.arrayBuffer());
  if (!isUuid(id)) throw invalid("id must be a uuid.");
  if (typeof model !== "string" || !/^[\w.:/-]{1,100}$/.test(model)) throw invalid("model must be the id of a model.");
  if (!isObject(input)) throw invalid("input must be an object.");
  if (!isStorable(input, 0)) throw invalid("input is too deep, or has text or numbers that cannot be stored.");
  if (Object.keys(rest).length > 0) throw invalid("Only id, model and input are known.");

  const args = { p_id: id, p_model: model, p_input: input };
  return answer(202, await callAsUser("enqueue_generation", args, token));
}

/** jsonb takes no NUL and no lone surrogate. A number beyond a double would become null. */
function isStorable(value: unknown, depth: number): boolean {
  if (typeof value === "string") return value.isWellFormed() && !value.includes("\0");
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return depth < MAX_DEPTH &&
    Object.entries(value).every(([key, inner]) => isStorable(key, depth) && isStorable(inner, depth + 1));
}

serve("enqueue_generation", { POST: enqueue });
