/** A webhook is the provider's if it is signed and came to the address that a worker made. */

import { required } from "../_shared/http.ts";
import { decodeBase64 } from "../_shared/shape.ts";
import { type Bytes, encode, forged, isSigned, MAX_SIGNATURES, signedBody, valuesOf } from "../_shared/signature.ts";

/** The signature does not cover the address; the token keeps a webhook from another job's. */
export async function checkAddress(job: string, token: string): Promise<void> {
  const keys: string[] = Object.values(JSON.parse(required("SUPABASE_SECRET_KEYS")));
  const signed = encode(`provider_webhook:${job.toLowerCase()}`);
  if (!await isSigned(signed, digestsIn([token]), keys.map(encode))) throw forged;
}

/** The raw body of a webhook that the provider signed. */
export function checkSignature(headers: Headers, readBody: () => Promise<Blob>): Promise<BufferSource> {
  const frame = ["webhook-id", "webhook-timestamp"].map((name) => headers.get(name) ?? "");
  const signatures = (headers.get("webhook-signature") ?? "").split(" ").filter((each) => each.startsWith("v1,"));
  const digests = digestsIn(signatures.slice(0, MAX_SIGNATURES).map((each) => each.slice("v1,".length)));
  const secrets = valuesOf(required("REPLICATE_WEBHOOK_SECRET"), /[\s,]+/).map(decodeSecret);
  return signedBody(frame, digests, secrets, readBody);
}

function digestsIn(texts: string[]): Bytes[] {
  return texts.map(decodeBase64).filter((bytes) => bytes?.length === 32) as Bytes[];
}

function decodeSecret(secret: string): Bytes {
  const bytes = decodeBase64(secret.replace(/^whsec_/, ""));
  if (!bytes?.length) throw new Error("REPLICATE_WEBHOOK_SECRET is not whsec_ and base64");
  return bytes;
}
