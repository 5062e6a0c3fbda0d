/** Corrects answers that would make auth-js drop a valid session.
 * An anonymous user could then not open the gallery again. */

// The only answers after which a refresh token is worthless.
const ENDS_A_SESSION = [
  'refresh_token_not_found',
  'refresh_token_already_used',
  'session_not_found',
  'session_expired',
  'user_not_found',
  'user_banned',
];

const UNAVAILABLE = { status: 503, statusText: 'Service Unavailable' };

export async function mendAnswer(url: string, response: Response): Promise<Response> {
  if (!url.includes('/auth/v1/')) return response;
  if (response.ok) return withoutServerTime(response);
  return url.includes('grant_type=refresh_token') ? ofRefresh(response) : response;
}

/** auth-js ends a session at a rate limit, a paused project or a proxy's page.
 * All of these are temporary. */
async function ofRefresh(response: Response): Promise<Response> {
  const { code, error_code } = await bodyOf(response);
  return ENDS_A_SESSION.some((end) => end === code || end === error_code) ? response : new Response(null, UNAVAILABLE);
}

/** Drop `expires_at`, which is by the server's clock. A phone whose clock is an hour ahead would
 * renew at every call; the lifetime in seconds is right on any clock. */
async function withoutServerTime(response: Response): Promise<Response> {
  const { expires_at, ...session } = await bodyOf(response);
  return expires_at === undefined ? response : new Response(JSON.stringify(session), response);
}

async function bodyOf(response: Response): Promise<Record<string, unknown>> {
  const body: unknown = await response.clone().json().catch(() => null);
  return typeof body === 'object' && body !== null ? { ...body } : {};
}
