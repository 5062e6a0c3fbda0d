/**
 * An event is RevenueCat's if it carries the Authorization value that its dashboard was told, and, where signing is
 * on, was signed a short while ago over exactly these bytes. Either secret may be left unset, not both.
 */

import { unauthenticated } from "../_shared/http.ts";

const TOLERANCE_SECONDS = 300; // every delivery is signed anew, a late repetition too
const MAX_SIGNATURES = 5; // one per secret while secrets rotate; more would only make us hash

/** The raw body, read only if the headers could be RevenueCat's, and given back only if they are. */
export async function checkSender(headers: Headers, readBody: () => Promise<Blob>): Promise<BufferSource> {
  const value = Deno.env.get("REVENUECAT_WEBHOOK_AUTHORIZATION")?.trim();
  const secret = Deno.env.get("REVENUECAT_WEBHOOK_SECRET")?.trim();
  if (!value && !secret) {
    throw new Error("neither REVENUECAT_WEBHOOK_AUTHORIZATION nor REVENUECAT_WEBHOOK_SECRET is set");
  }
  const forged = unauthenticated("This does not come from the store.");
  if (value && !await isSame(headers.get("authorization") ?? "", value)) throw forged;
  if (!secret) return (await readBody()).arrayBuffer();

  const { timestamp, signatures } = readSignature(headers.get("x-revenuecat-webhook-signature") ?? "");
  if (!timestamp || signatures.length === 0) throw forged;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw unauthenticated("The signature is too old.");
  }
  const key = await hmacKey(new TextEncoder().encode(secret));
  const prefix = new TextEncoder().encode(`${timestamp}.`);
  const signed = await new Blob([prefix, await readBody()]).arrayBuffer();
  for (const signature of signatures) {
    // verify() compares in constant time
    if (await crypto.subtle.verify("HMAC", key, signature, signed)) return new Uint8Array(signed, prefix.length);
  }
  throw forged;
}

/** `t=<seconds>,v1=<hex>`, with one v1 per secret while secrets rotate. */
function readSignature(header: string) {
  const parts = header.split(",").map((part) => part.trim());
  const [, timestamp] = /^t=(\d{1,12})$/.exec(parts.find((part) => part.startsWith("t=")) ?? "") ?? [];
  const hexes = parts.flatMap((part) => /^v1=([0-9a-f]{64})$/i.exec(part)?.[1] ?? []).slice(0, MAX_SIGNATURES);
  const signatures = hexes.map((hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16)));
  return { timestamp, signatures };
}

/** Compares in constant time: under a key that only this call knows, both have the same HMAC or not. */
async function isSame(given: string, expected: string): Promise<boolean> {
  const key = await hmacKey(crypto.getRandomValues(new Uint8Array(32)));
  const [one, other] = [given, expected].map((text) => new TextEncoder().encode(text));
  return crypto.subtle.verify("HMAC", key, await crypto.subtle.sign("HMAC", key, other), one);
}

function hmacKey(bytes: BufferSource): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}
