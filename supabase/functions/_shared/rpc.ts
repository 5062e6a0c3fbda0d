/**
 * One bounded call of one database function. Its refusals are passed on; any other failure is a
 * 503.
 */

import { Refused, required, unauthenticated } from "./http.ts";
import { isObject } from "./shape.ts";

// Above any healthy answer and below a caller's patience. A call that commits after it is safe to
// repeat.
const MAX_MILLISECONDS = 5_000;

/** Call as the user whose token this is; row level security and auth.uid() apply. */
export function callAsUser(name: string, args: unknown, token: string): Promise<string> {
  return call(name, args, { apikey: apiKey("SUPABASE_PUBLISHABLE_KEYS"), Authorization: `Bearer ${token}` }, isObject);
}

/** Call with the secret key; such a function answers with a boolean or a word. */
export function callAsService(name: string, args: unknown): Promise<string> {
  const isExpected = (answer: unknown) => ["boolean", "string"].includes(typeof answer);
  return call(name, args, { apikey: apiKey("SUPABASE_SECRET_KEYS") }, isExpected);
}

async function call(
  name: string,
  args: unknown,
  keys: Record<string, string>,
  isExpected: (answer: unknown) => boolean,
): Promise<string> {
  const response = await fetch(`${required("SUPABASE_URL")}/rest/v1/rpc/${name}`, {
    method: "POST",
    headers: { ...keys, "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(args),
    redirect: "manual",
    signal: AbortSignal.timeout(MAX_MILLISECONDS),
  });
  const text = await response.text();
  const answer = JSON.parse(text);
  if (response.status === 200 && isExpected(answer)) return text;
  throw failureOf(name, response, answer);
}

function failureOf(name: string, response: Response, error: unknown): Error {
  const { code, message } = isObject(error) ? error : {};
  if (response.status < 400 || typeof code !== "string" || typeof message !== "string") {
    return new Error(`${name}: unexpected answer ${response.status}`);
  }
  // The database's own words for the client are lower case; SQLSTATEs and PostgREST's codes are
  // not.
  if ((response.status < 500 || code === "unavailable") && /^[a-z_]+$/.test(code)) {
    const retryAfter = response.headers.get("Retry-After");
    return new Refused(response.status, code, message, retryAfter ? { "Retry-After": retryAfter } : {});
  }
  // The token was valid a moment ago and is no longer, or its user is gone.
  if (response.status === 401 && /^PGRST30[13]$/.test(code)) {
    return unauthenticated("Sign in again.");
  }
  return new Error(`${name}: ${response.status} ${code} ${message}`);
}

function apiKey(name: string): string {
  const key = JSON.parse(required(name)).default;
  if (typeof key !== "string") throw new Error(`${name} has no key named default`);
  return key;
}
