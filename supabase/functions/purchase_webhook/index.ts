/** A store's event: verified as RevenueCat's, then passed to the database, which applies it. */

import { readBody } from "../_shared/body.ts";
import { answer, invalid, serve } from "../_shared/http.ts";
import { callAsService } from "../_shared/rpc.ts";
import { isObject, parseObject } from "../_shared/shape.ts";
import { checkSender } from "./sender.ts";

const MAX_BYTES = 1_048_576; // events are small; aliases grow with every sign-in
const MAX_DEPTH = 16;

async function record(request: Request): Promise<Response> {
  const body = await checkSender(request.headers, () => readBody(request, MAX_BYTES));
  const { event } = parseObject(body);
  if (!isObject(event)) throw invalid("The body must have an event.");

  const effect = await callAsService("record_purchase", { p_event: storable(event, 0) });
  const { id, type } = event;
  console.log(`{"event":"purchase.recorded","id":${brief(id)},"type":${brief(type)},"effect":${effect}}`);
  // Exactly 200: RevenueCat repeats on any other status, and shows this body in its dashboard.
  return answer(200, `{"effect":${effect}}`);
}

/**
 * Characters that jsonb cannot store are replaced, not refused: a buyer chooses some of the text,
 * and must not be able to prevent a refund with it.
 */
function storable(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.toWellFormed().replaceAll("\0", "\ufffd");
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return null;
  if (Array.isArray(value)) return value.map((inner) => storable(inner, depth + 1));
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, inner]) => [storable(key, depth), storable(inner, depth + 1)]));
}

const brief = (value: unknown) => JSON.stringify(String(value).slice(0, 100));

serve("purchase_webhook", { POST: record });
