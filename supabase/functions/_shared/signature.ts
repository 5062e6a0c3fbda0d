/** Accepts a request of another server that signed these bytes, recently, with our secret. */

import { unauthenticated } from "./http.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

const TOLERANCE_SECONDS = 300;
export const MAX_SIGNATURES = 5; // one per secret while secrets rotate

export const forged = unauthenticated("The signature is not valid.");
export const encode = (text: string): Bytes => new TextEncoder().encode(text);

/** A setting holds two values while they rotate: the new one and the one before. */
export function valuesOf(setting: string | undefined, separator: RegExp): string[] {
  return (setting ?? "").trim().split(separator, 2).filter((value) => value !== "");
}

/**
 * The raw body, read only if the head may be the sender's. The signature covers `frame`, which
 * ends with the time, and then the body.
 */
export async function signedBody(
  frame: string[],
  digests: Bytes[],
  secrets: Bytes[],
  readBody: () => Promise<Blob>,
): Promise<BufferSource> {
  if (secrets.length === 0) throw new Error("no secret is set");
  const timestamp = frame.at(-1) ?? "";
  if (frame.includes("") || !/^\d{1,12}$/.test(timestamp) || digests.length === 0) throw forged;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw unauthenticated("The signature is too old.");
  }
  const prefix = encode([...frame, ""].join("."));
  // The one copy of the body.
  const signed = await new Blob([prefix, await readBody()]).arrayBuffer();
  if (!await isSigned(signed, digests, secrets)) throw forged;
  return new Uint8Array(signed, prefix.length);
}

export async function isSigned(signed: BufferSource, digests: Bytes[], secrets: Bytes[]): Promise<boolean> {
  for (const secret of secrets) {
    const key = await hmacKey(secret);
    for (const digest of digests) {
      // Compares in constant time.
      if (await crypto.subtle.verify("HMAC", key, digest, signed)) return true;
    }
  }
  return false;
}

export function hmacKey(secret: Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}
