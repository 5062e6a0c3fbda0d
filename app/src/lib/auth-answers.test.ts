import { mendAnswer } from './auth-answers';

const REFRESH = 'https://x/auth/v1/token?grant_type=refresh_token';
const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });

test.each([
  [400, { code: 400, error_code: 'refresh_token_not_found' }],
  [400, { code: 'refresh_token_already_used' }],
  [403, { code: 'user_banned' }],
])('%p %j ends the session', async (status, body) => {
  const refused = answer(status, body);
  expect(await mendAnswer(REFRESH, refused)).toBe(refused);
});

test.each([
  [429, { code: 'over_request_rate_limit' }],
  [401, { message: 'Invalid API key' }],
  [540, { message: 'Project paused' }],
  [403, '<html>'],
])('%p %j passes', async (status, body) => {
  expect((await mendAnswer(REFRESH, answer(status, body))).status).toBe(503);
});

test('a wrong password stays wrong', async () => {
  const refused = answer(400, { code: 'invalid_credentials' });
  expect(await mendAnswer('https://x/auth/v1/token?grant_type=password', refused)).toBe(refused);
});

test('a session lasts as many seconds as it is given, whatever the clocks say', async () => {
  const mended = await mendAnswer(REFRESH, answer(200, { access_token: 'a', expires_in: 3600, expires_at: 1 }));
  expect(await mended.json()).toEqual({ access_token: 'a', expires_in: 3600 });
});

test('other services are not read', async () => {
  const rows = answer(200, [{ expires_at: 1 }]);
  expect(await mendAnswer('https://x/rest/v1/jobs', rows)).toBe(rows);
});
