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

const entry = (id: string, changes: Partial<outbox.Entry> = {}): outbox.Entry => ({
  ...{ id, model: 'preview', input: { prompt: 'a fox' }, userId: 'before', requestedAt: '2026-01-01T10:00:00Z' },
  ...{ isTried: false, isWithdrawn: false, delay: null, refusal: null },
  ...changes,
});

test('what an anonymous user left unsent is a card of the next one, and is sent and charged only by a retry', async () => {
  session.set({ userId: 'before', isReady: false });
  outbox.put(entry('a'));
  outbox.put(entry('tried', { isTried: true, delay: 'signed_out' }));
  outbox.put(entry('withdrawn', { isWithdrawn: true }));
  outbox.put(entry('theirs', { userId: 'by name' }));
  const { unmount } = await renderHook(useLiveUpdates, { wrapper });
  await act(() => session.set({ userId: 'next', isReady: true, replaced: 'before' }));
  expect(mockEnqueue).not.toHaveBeenCalled();
  const cards = galleryOf(client, 'next').items.map(({ id, status }) => [id, status]);
  expect(cards.sort()).toEqual([['a', 'refused'], ['tried', 'refused']]);
  expect(outbox.all().map(({ id, userId }) => [id, userId]).sort()).toEqual([['a', 'next'], ['theirs', 'by name'], ['tried', 'next']]);
  await unmount();
});

test('a tap whose token is refused while another user signs in is not sent by the other', async () => {
  session.set({ userId: 'before', isReady: true });
  const { result, unmount } = await renderHook(() => [useGenerate(), useLiveUpdates()] as const, { wrapper });
  let refuse: (error: Error) => void = () => {};
  mockEnqueue.mockReturnValueOnce(new Promise((_, reject) => (refuse = reject)));
  let id = '';
  await act(() => void (id = result.current[0]('preview', { prompt: 'a fox' })));
  await act(() => session.set({ userId: 'next', isReady: true, replaced: 'before' }));
  await act(async () => refuse(meaningOf(401, null, null)));
  await act(() => jest.advanceTimersByTimeAsync(60_000));
  expect(mockEnqueue).toHaveBeenCalledTimes(1);
  expect(outbox.find(id)).toMatchObject({ userId: 'next', refusal: { code: 'other_account' } });
  await unmount();
});
