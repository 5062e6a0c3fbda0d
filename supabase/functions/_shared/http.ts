/**
 * How every function is reached and how it answers: method and path first, one error shape, CORS,
 * nothing of the inside.
 */

export type Handler = (request: Request, query: string) => Response | Promise<Response>;

/** A request that is declined. Its message is shown to the caller. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

export const invalid = (message: string) => new Refused(400, "invalid_request", message);
export const unauthenticated = (message: string) => new Refused(401, "unauthenticated", message);

// Only web apps need these.
const CORS = { "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After" };
const PREFLIGHT = {
  // The first eight are what supabase-js sends, x-region is its `region` option.
  "Access-Control-Allow-Headers": "authorization, x-client-info, apikey, content-type, " +
    "x-retry-count, traceparent, tracestate, baggage, x-region",
  "Access-Control-Max-Age": "86400",
};

/**
 * Serve one function under its name. OPTIONS is answered for all: it is the preflight, and the warm
 * call.
 */
export function serve(name: string, handlers: Record<string, Handler>): void {
  const options: Handler = () => answer(204, null, { "Access-Control-Allow-Methods": allow, ...PREFLIGHT });
  const byMethod = new Map(Object.entries({ ...handlers, OPTIONS: options }));
  const allow = [...byMethod.keys()].join(", ");

  Deno.serve(async (request) => {
    try {
      // Not by URL: a forged Host makes an address that it throws at, and a cold start is to load
      // little.
      const [, path, query] = /^\w+:\/\/[^/?#]*([^?#]*)\??([^#]*)/.exec(request.url) ?? [];
      if (path !== `/${name}`) throw new Refused(404, "not_found", "There is nothing here.");
      const handler = byMethod.get(request.method);
      if (!handler) throw new Refused(405, "method_not_allowed", `Use ${allow}.`, { Allow: allow });
      return await handler(request, query);
    } catch (error) {
      return refuse(name, error);
    }
  });
}

/** `body` is JSON text, or null for none. */
export function answer(status: number, body: string | null, headers: Record<string, string> = {}): Response {
  const type: Record<string, string> = body === null ? {} : { "Content-Type": "application/json" };
  return new Response(body, { status, headers: { ...CORS, "Cache-Control": "no-store", ...type, ...headers } });
}

function refuse(name: string, error: unknown): Response {
  if (error instanceof Refused) {
    const { status, code, message, headers } = error;
    const challenge: Record<string, string> = status === 401 ? { "WWW-Authenticate": "Bearer" } : {};
    return answer(status, JSON.stringify({ error: { code, message } }), { ...challenge, ...headers });
  }
  // For the operator's log alone: the caller learns only that a retry is worth it.
  console.error(JSON.stringify({ event: "function.failed", function: name, error: String(error) }));
  const body = { error: { code: "unavailable", message: "Try again in a moment." } };
  return answer(503, JSON.stringify(body), { "Retry-After": "2" });
}

export function required(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is not set`);
  return value;
}
