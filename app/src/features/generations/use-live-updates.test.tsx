import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook } from '@testing-library/react-native';
import type { PropsWithChildren } from 'react';

import { session } from '@/lib/session';

import { meaningOf } from './api';
import { galleryOf } from './cache';
import * as outbox from './outbox';
import type { Answer } from './types';
import { useGenerate } from './use-generate';
import { useLiveUpdates } from './use-live-updates';

const mockEnqueue = jest.fn<Promise<Answer>, []>();
jest.mock('./api', () => ({
  ...jest.requireActual('./api'),
  enqueue: () => mockEnqueue(),
  readGallery: () => new Promise(() => {}),
}));
jest.mock('./realtime', () => ({ listen: () => ({ renew: () => {}, stop: () => {} }) }));
jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.useFakeTimers();

const client = new QueryClient({ defaultOptions: { queries: { gcTime: Infinity, retry: false } } });
const wrapper = ({ children }: PropsWithChildren) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;

beforeEach(() => {
  localStorage.clear();
  client.clear();
  mockEnqueue.mockReset().mockReturnValue(new Promise(() => {}));
});

test('what a refused user had asked for offline is sent and shown as the next one’s', async () => {
  session.set({ userId: 'refused', isReady: false });
  outbox.put({
    ...{ id: 'a', model: 'preview', input: { prompt: 'a fox' }, userId: 'refused', requestedAt: '2026-01-01T10:00:00Z' },
    ...{ isTried: false, isWithdrawn: false, delay: null, refusal: null },
  });
  const { unmount } = await renderHook(useLiveUpdates, { wrapper });
  await act(() => session.set({ userId: 'next', isReady: true, replaced: 'refused' }));
  expect(outbox.find('a')?.userId).toBe('next');
  expect(galleryOf(client, 'next').items.map((item) => item.id)).toEqual(['a']);
  expect(mockEnqueue).toHaveBeenCalledTimes(1);
  await unmount();
});

test('a tap whose token is refused after another user took over is sent and shown as the other’s', async () => {
  session.set({ userId: 'refused', isReady: true });
  const { result, unmount } = await renderHook(() => [useGenerate(), useLiveUpdates()] as const, { wrapper });
  let refuse: (error: Error) => void = () => {};
  mockEnqueue.mockReturnValueOnce(new Promise((_, reject) => (refuse = reject))).mockReturnValue(new Promise(() => {}));
  let id = '';
  await act(() => void (id = result.current[0]('preview', { prompt: 'a fox' })));
  await act(() => session.set({ userId: 'next', isReady: true }));
  expect(mockEnqueue).toHaveBeenCalledTimes(1);

  await act(async () => refuse(meaningOf(401, null, null)));
  expect(mockEnqueue).toHaveBeenCalledTimes(2);
  expect(outbox.find(id)?.userId).toBe('next');
  expect(galleryOf(client, 'next').items.map((item) => item.id)).toEqual([id]);
  await unmount();
});
