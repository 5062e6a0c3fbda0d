import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook, waitFor } from '@testing-library/react-native';
import type { PropsWithChildren } from 'react';

import { session } from '@/lib/session';

import { signPaths } from './api';
import type { Listener } from './realtime';
import { file, job } from './samples.test.data';
import { knownUrl, sign } from './signed-urls';
import { useLiveUpdates } from './use-live-updates';
import { fetchAhead, useSignedUrl } from './use-signed-url';

jest.mock('@/lib/supabase', () => ({ supabase: {}, SUPABASE_URL: 'https://project' }));
jest.mock('./api', () => ({
  ...jest.requireActual('./api'),
  readGallery: () => new Promise(() => {}),
  signPaths: jest.fn(),
}));
let mockSay: Listener['onJob'];
jest.mock('./realtime', () => ({
  listen: (_userId: string, { onJob }: Listener) => {
    mockSay = onJob;
    return { renew: () => {}, stop: () => {} };
  },
}));

jest.useFakeTimers();

const PATH = 'u/a/0.png';
const OUTPUT = file(PATH);
const tokenFor = (seconds: number) =>
  ['e30', btoa(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + seconds })).replace(/=+$/, ''), 'signature'].join('.');
let client: QueryClient;
const wrapper = ({ children }: PropsWithChildren) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;

beforeEach(() => {
  localStorage.clear();
  session.set({ userId: 'u', isReady: true });
  jest.mocked(signPaths).mockReset().mockImplementation(async (paths) => new Map(paths.map((path) => [path, `https://x/${path}`])));
  client = new QueryClient({ defaultOptions: { queries: { gcTime: Infinity, retry: false } } });
});

test('a URL that the news does not bring is asked for before the card is drawn, and the card does not ask again', async () => {
  await renderHook(useLiveUpdates, { wrapper });
  await act(() => mockSay(job('succeeded')));
  await waitFor(() => expect(signPaths).toHaveBeenCalledWith([PATH], 3600));
  const { result } = await renderHook(() => useSignedUrl(OUTPUT), { wrapper });
  await waitFor(() => expect(result.current.url).toBe(`https://x/${PATH}`));
  expect(signPaths).toHaveBeenCalledTimes(1);
});

test('a URL that comes with the news is used as it is, and nothing is asked', async () => {
  const token = tokenFor(3600);
  const { result } = await renderHook(() => useSignedUrl({ ...OUTPUT, token }), { wrapper });
  expect(result.current.url).toBe(`https://project/storage/v1/object/sign/generations/${PATH}?token=${token}`);
  expect(signPaths).not.toHaveBeenCalled();
});

test.each(['expires soon', 'has expired', 'is no token'])('another is asked for when that of the news %s', async (how) => {
  const token = how === 'is no token' ? 'x.y' : tokenFor(how === 'expires soon' ? 60 : -60);
  const { result } = await renderHook(() => useSignedUrl({ ...OUTPUT, token }), { wrapper });
  expect(result.current.url !== undefined).toBe(how === 'expires soon');
  await waitFor(() => expect(result.current.url).toBe(`https://x/${PATH}`));
});

test('a URL of the news that does not load is replaced, and stays replaced', async () => {
  const output = { ...OUTPUT, token: tokenFor(3600) };
  const { result } = await renderHook(() => useSignedUrl(output), { wrapper });
  await act(() => result.current.renew());
  await act(() => jest.advanceTimersByTimeAsync(1500));
  expect(result.current.url).toBe(`https://x/${PATH}`);
  expect(knownUrl(output)?.url).toBe(`https://x/${PATH}`);
});

test('a picture that loads with no URL is asked less and less often', async () => {
  let signed = 0;
  jest.mocked(signPaths).mockImplementation(async () => new Map([[PATH, `https://x/${(signed += 1)}`]]));
  const { result } = await renderHook(() => useSignedUrl(OUTPUT), { wrapper });
  for (let second = 0; second < 60; second += 1) {
    await act(() => result.current.renew());
    await act(() => jest.advanceTimersByTimeAsync(1000));
  }
  expect(signed).toBe(5); // at first, and then after 2, 4, 8 and 16 seconds
});

test('a URL that could not be had is asked for again', async () => {
  jest.mocked(signPaths).mockRejectedValueOnce(new Error('no connection'));
  const { result } = await renderHook(() => useSignedUrl(OUTPUT), { wrapper });
  await act(() => jest.advanceTimersByTimeAsync(20_000));
  expect(result.current.url).toBe(`https://x/${PATH}`);
});

test('what has no picture asks for none', () => {
  for (const status of ['running', 'failed'] as const) fetchAhead(client, job(status));
  expect(client.getQueryCache().getAll()).toEqual([]);
});

test('all that is asked for at one moment is signed by one call, and one that is not there harms no other', async () => {
  jest.mocked(signPaths).mockResolvedValueOnce(new Map([[PATH, 'https://x/first']]));
  const [here, missing] = await Promise.allSettled([sign(PATH), sign('u/gone/0.png')]);
  expect(here).toMatchObject({ status: 'fulfilled', value: { url: 'https://x/first' } });
  expect(missing?.status).toBe('rejected');
  expect(jest.mocked(signPaths).mock.calls).toEqual([[[PATH, 'u/gone/0.png'], 3600]]);
  expect(knownUrl(OUTPUT)?.url).toBe('https://x/first');
  await sign('u/b/0.png');
  expect(signPaths).toHaveBeenCalledTimes(2);
});

test('on a phone whose clock is years behind, a URL is not asked for without end', async () => {
  const interval = jest.spyOn(globalThis, 'setInterval');
  const output = file('u/far/0.png', { token: tokenFor(10 * 365 * 86_400) });
  const { unmount } = await renderHook(() => useSignedUrl(output), { wrapper });
  const pauses = interval.mock.calls.map(([, milliseconds]) => milliseconds ?? 0).filter((milliseconds) => milliseconds > 1000);
  expect(pauses.length).toBeGreaterThan(0);
  // A timer of more milliseconds than 31 bits hold fires at once.
  expect(Math.max(...pauses)).toBeLessThan(2 ** 31);
  await unmount();
});
