/**
 * An event is RevenueCat's if it has the Authorization value of RevenueCat's dashboard and, with
 * signing on, a signature. One of the two secrets may be unset, not both.
 */

import { unauthenticated } from "../_shared/http.ts";
import { encode, hmacKey, isSigned, MAX_SIGNATURES, signedBody, valuesOf } from "../_shared/signature.ts";

/** The raw body of such an event. */
export async function checkSender(headers: Headers, readBody: () => Promise<Blob>): Promise<BufferSource> {
  // "Bearer …" has a space, so a comma separates two.
  const values = valuesOf(Deno.env.get("REVENUECAT_WEBHOOK_AUTHORIZATION"), /\s*,\s*/);
  const secrets = valuesOf(Deno.env.get("REVENUECAT_WEBHOOK_SECRET"), /[\s,]+/).map(encode);
  if (values.length + secrets.length === 0) {
    throw new Error("neither REVENUECAT_WEBHOOK_AUTHORIZATION nor REVENUECAT_WEBHOOK_SECRET is set");
  }
  if (values.length && !await isOneOf(values, headers.get("authorization") ?? "")) {
    throw unauthenticated("This does not come from the store.");
  }
  if (secrets.length === 0) return (await readBody()).arrayBuffer();

  // `t=<seconds>,v1=<hex>`, with one v1 per secret while secrets rotate.
  const parts = (headers.get("x-revenuecat-webhook-signature") ?? "").split(",").map((part) => part.trim());
  const timestamp = parts.find((part) => part.startsWith("t="))?.slice("t=".length) ?? "";
  const hexes = parts.flatMap((part) => /^v1=([0-9a-f]{64})$/i.exec(part)?.[1] ?? []).slice(0, MAX_SIGNATURES);
  const digests = hexes.map((hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16)));
  return signedBody([timestamp], digests, secrets, readBody);
}

/** Compares in constant time: the HMACs of both, under a key of this call. */
async function isOneOf(values: string[], given: string): Promise<boolean> {
  const random = crypto.getRandomValues(new Uint8Array(32));
  const key = await hmacKey(random);
  const digests = values.map(async (value) => new Uint8Array(await crypto.subtle.sign("HMAC", key, encode(value))));
  return isSigned(encode(given), await Promise.all(digests), [random]);
}
