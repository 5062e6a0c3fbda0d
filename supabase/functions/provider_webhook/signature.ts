/**
 * A webhook is the provider's if it came to the address that a worker made for its job, and is
 * signed with our shared secret, recently, over exactly these bytes.
 */

import { required, unauthenticated } from "../_shared/http.ts";
import { decodeBase64 } from "../_shared/shape.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const TOLERANCE_SECONDS = 300;
const MAX_SIGNATURES = 5; // one per secret while secrets rotate; more would only make us hash

const forged = unauthenticated("The signature is not valid.");
const encode = (text: string) => new TextEncoder().encode(text);

/** The provider does not sign the address: without its token, a webhook could be sent to another job's. */
export async function checkAddress(job: string, token: string): Promise<void> {
  const keys: string[] = Object.values(JSON.parse(required("SUPABASE_SECRET_KEYS")));
  const signed = encode(`provider_webhook:${job.toLowerCase()}`);
  if (!await isSigned(signed, digestsIn([token]), keys.map(encode))) throw forged;
}

/** The raw body, read only if the headers could be the provider's, and given back only if they are. */
export async function checkSignature(headers: Headers, readBody: () => Promise<Blob>): Promise<BufferSource> {
  const id = headers.get("webhook-id") ?? "";
  const timestamp = headers.get("webhook-timestamp") ?? "";
  const signatures = (headers.get("webhook-signature") ?? "").split(" ").filter((each) => each.startsWith("v1,"));
  const digests = digestsIn(signatures.slice(0, MAX_SIGNATURES).map((each) => each.slice("v1,".length)));
  if (!id || !/^\d{1,12}$/.test(timestamp) || digests.length === 0) throw forged;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw unauthenticated("The signature is too old.");
  }

  // Two while they rotate: the new one and the one before.
  const secrets = required("REPLICATE_WEBHOOK_SECRET").trim().split(/[\s,]+/, 2).map(decodeSecret);
  const prefix = encode(`${id}.${timestamp}.`);
  const signed = await new Blob([prefix, await readBody()]).arrayBuffer(); // the one copy of the body
  if (!await isSigned(signed, digests, secrets)) throw forged;
  return new Uint8Array(signed, prefix.length);
}

async function isSigned(signed: BufferSource, digests: Bytes[], secrets: Bytes[]): Promise<boolean> {
  for (const secret of secrets) {
    const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    for (const digest of digests) {
      if (await crypto.subtle.verify("HMAC", key, digest, signed)) return true; // compares in constant time
    }
  }
  return false;
}

function digestsIn(texts: string[]): Bytes[] {
  return texts.map(decodeBase64).filter((bytes) => bytes?.length === 32) as Bytes[];
}

function decodeSecret(secret: string): Bytes {
  const bytes = decodeBase64(secret.replace(/^whsec_/, ""));
  if (!bytes?.length) throw new Error("REPLICATE_WEBHOOK_SECRET is not whsec_ and base64");
  return bytes;
}
