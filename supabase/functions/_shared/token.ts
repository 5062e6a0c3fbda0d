/** A caller is who the project's own signing key says, in an access token that is valid now. */

import { required, unauthenticated } from "./http.ts";
import { decodeBase64, isObject, isUuid } from "./shape.ts";

const CURVE = { name: "ECDSA", namedCurve: "P-256" };

const MAX_REMEMBERED = 1_000;

let importedKeys: Promise<Map<string, CryptoKey>> | undefined;
// The claims of tokens with a good signature. It stays good, so it is checked once; the claims are,
// every time.
const signedClaims = new Map<string, Record<string, unknown>>();

/** The caller's access token, verified; the database is then called with it. */
export async function authenticate(request: Request): Promise<string> {
  const [, token] = /^Bearer ([\w.-]+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  if (!token) throw unauthenticated("Sign in first.");

  let claims = signedClaims.get(token);
  if (!claims) {
    if (!await isSigned(token)) throw unauthenticated("This access token is not valid.");
    claims = decodeObject(token.split(".")[1]);
    if (signedClaims.size >= MAX_REMEMBERED) signedClaims.clear();
    signedClaims.set(token, claims);
  }
  checkClaims(claims);
  return token;
}

async function isSigned(token: string): Promise<boolean> {
  const [head, claims, signature, ...rest] = token.split(".");
  const header = decodeObject(head);
  // Said apart from forgeries: it is what every caller of a project with a legacy JWT secret meets.
  if (header.alg === "HS256") throw unauthenticated("HS256 tokens are not accepted: this API takes ES256 alone.");
  // `crit` names extensions that must be understood; none is.
  if (header.alg !== "ES256" || typeof header.kid !== "string" || "crit" in header || rest.length) return false;

  importedKeys ??= importKeys();
  const key = (await importedKeys).get(header.kid);
  const bytes = decodeBase64(signature ?? "");
  if (!key || !bytes) return false;
  const signed = new TextEncoder().encode(`${head}.${claims}`);
  return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, bytes, signed);
}

/** The public keys come with the environment, so that a cold start fetches nothing. */
async function importKeys(): Promise<Map<string, CryptoKey>> {
  const jwks = JSON.parse(required("SUPABASE_JWKS"));
  const keys: (JsonWebKey & { kid: string })[] = Array.isArray(jwks) ? jwks : jwks.keys;
  const usable = keys.filter(({ kty, crv }) => kty === "EC" && crv === CURVE.namedCurve);
  return new Map(
    await Promise.all(usable.map(async ({ kid, kty, crv, x, y }) => {
      const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, CURVE, false, ["verify"]);
      return [kid, key] as const;
    })),
  );
}

function checkClaims({ exp, nbf, iss, aud, role, sub }: Record<string, unknown>): void {
  const now = Date.now() / 1000;
  if (typeof exp !== "number" || exp <= now) throw unauthenticated("This session has expired.");
  const isOurs = isIssuer(iss) &&
    (nbf === undefined || (typeof nbf === "number" && nbf <= now + 30)) &&
    (Array.isArray(aud) ? aud : [aud]).includes("authenticated") && role === "authenticated" && isUuid(sub);
  if (!isOurs) throw unauthenticated("This access token is not for a signed-in user.");
}

/**
 * Auth may sign under another address than SUPABASE_URL, which TOKEN_ISSUER then adds. The keys
 * decide.
 */
function isIssuer(iss: unknown): boolean {
  const added = Deno.env.get("TOKEN_ISSUER") ?? "";
  const issuers = [`${withoutSlash(required("SUPABASE_URL"))}/auth/v1`, added, withoutSlash(added)];
  return typeof iss === "string" && iss !== "" && issuers.includes(iss);
}

const withoutSlash = (url: string) => url.replace(/\/+$/, "");

function decodeObject(part = ""): Record<string, unknown> {
  try {
    const value = JSON.parse(new TextDecoder().decode(decodeBase64(part)));
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
