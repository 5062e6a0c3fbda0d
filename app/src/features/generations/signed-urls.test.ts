import { session } from '@/lib/session';

import { signPaths } from './api';
import { sign } from './signed-urls';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.mock('./api', () => ({ signPaths: jest.fn() }));

test.each([
  ['the user is still here', 'u', true],
  ['the user has signed out since, perhaps in another tab', null, false],
])('a URL is kept on disk if %s', async (_when, userId, isKept) => {
  localStorage.clear();
  session.set({ userId: 'u', isReady: true });
  let answer: (urls: Map<string, string>) => void = () => {};
  jest.mocked(signPaths).mockReturnValue(new Promise((resolve) => (answer = resolve)));
  const signed = sign('u/a/0.png');
  await Promise.resolve();
  session.set({ userId, isReady: false });
  answer(new Map([['u/a/0.png', 'https://x']]));
  expect(await signed).toMatchObject({ url: 'https://x' });
  expect(localStorage.getItem('pilotlight.1.urls') !== null).toBe(isKept);
});
