/** A webhook is the provider's if it is signed with our shared secret, recently, over exactly these bytes. */

import { required, unauthenticated } from "../_shared/http.ts";
import { decodeBase64 } from "../_shared/shape.ts";

const TOLERANCE_SECONDS = 300;
const MAX_SIGNATURES = 5; // one per secret while secrets rotate; more would only make us hash

/** The raw body, read only if the headers could be the provider's, and given back only if they are. */
export async function checkSignature(headers: Headers, readBody: () => Promise<Blob>): Promise<BufferSource> {
  const forged = unauthenticated("The signature is not valid.");
  const id = headers.get("webhook-id") ?? "";
  const timestamp = headers.get("webhook-timestamp") ?? "";
  const signatures = (headers.get("webhook-signature") ?? "").split(" ").filter((each) => each.startsWith("v1,"));
  if (!id || !/^\d{1,12}$/.test(timestamp) || signatures.length === 0) throw forged;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw unauthenticated("The signature is too old.");
  }

  const key = await importSecret(required("REPLICATE_WEBHOOK_SECRET"));
  const prefix = new TextEncoder().encode(`${id}.${timestamp}.`);
  const signed = await new Blob([prefix, await readBody()]).arrayBuffer(); // the one copy of a body that may be large
  for (const signature of signatures.slice(0, MAX_SIGNATURES)) {
    const bytes = decodeBase64(signature.slice("v1,".length));
    // verify() compares in constant time
    if (bytes && await crypto.subtle.verify("HMAC", key, bytes, signed)) {
      return new Uint8Array(signed, prefix.length);
    }
  }
  throw forged;
}

function importSecret(secret: string): Promise<CryptoKey> {
  const bytes = decodeBase64(secret.replace(/^whsec_/, ""));
  if (!bytes?.length) throw new Error("REPLICATE_WEBHOOK_SECRET is not whsec_ and base64");
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}
