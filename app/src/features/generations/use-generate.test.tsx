import { notifyManager, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook } from '@testing-library/react-native';
import type { PropsWithChildren } from 'react';

import { session } from '@/lib/session';

import { absorb, galleryOf, openGallery } from './cache';
import * as deletions from './deletions';
import * as outbox from './outbox';
import { item } from './samples.test.data';
import { useActions } from './use-actions';
import { useGallery } from './use-gallery';
import { useGenerate } from './use-generate';

const mockRemove = jest.fn();
jest.mock('./api', () => ({
  ...jest.requireActual('./api'),
  readGallery: () => new Promise(() => {}),
  remove: (id: string) => mockRemove(id),
}));
jest.mock('@/lib/supabase', () => ({ supabase: {} }));
// As the app does: a change is drawn in its frame, within act
notifyManager.setScheduler(queueMicrotask);

let client: QueryClient;
const wrapper = ({ children }: PropsWithChildren) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
const useAll = () => ({ gallery: useGallery(), generate: useGenerate(), ...useActions() });

beforeEach(() => {
  localStorage.clear();
  mockRemove.mockReset();
  session.set({ userId: 'u', isReady: true });
  client = new QueryClient({
    defaultOptions: { queries: { gcTime: Infinity, retry: false }, mutations: { gcTime: Infinity } },
  });
});

test('a retry is a new request with the old prompt, drawn at once and on disk', async () => {
  client.setQueryData(['gallery', 'u'], { items: [item('failed')], cursor: null, gone: [] });
  const { result } = await renderHook(useAll, { wrapper });
  await act(async () => {
    result.current.retryItem(item('failed'));
    // Synchronously, before any answer.
    const [card] = galleryOf(client, 'u').items;
    expect(card).toMatchObject({ status: 'sending', input: { prompt: 'a fox' } });
    expect(card?.id).not.toBe('a');
    expect(outbox.ofUser('u')[0]?.id).toBe(card?.id);
  });
  // In the place of the failed one, which the server keeps until it has the new request.
  const [card, ...others] = result.current.gallery.items;
  expect(card?.requestedAt).toBe(item('failed').requestedAt);
  expect(others).toEqual([]);
  expect(mockRemove).not.toHaveBeenCalled();
  expect(deletions.ofUser('u')).toMatchObject([{ id: 'a', replacedBy: card?.id }]);
});

test('a tap of a session that turns out to be refused stays with its user', async () => {
  session.set({ userId: 'refused', isReady: false });
  const { result } = await renderHook(useAll, { wrapper });
  const shown = () => result.current.gallery.items.map(({ id, status }) => [id, status]);
  let id = '';
  await act(() => void (id = result.current.generate('preview', { prompt: 'a fox' })));
  expect(shown()).toEqual([[id, 'sending']]);
  await act(() => session.set({ userId: 'next', isReady: true }));
  expect(shown()).toEqual([]);
  await act(() => session.set({ userId: 'refused', isReady: true }));
  expect(shown()).toEqual([[id, 'sending']]);
});

test('what the user before left on this phone stays in sight, and can be deleted here', async () => {
  localStorage.setItem('pilotlight.1.gallery.before', JSON.stringify([item('succeeded'), item('running', { id: 'b' })]));
  session.set({ userId: 'u', isReady: true, replaced: 'before' });
  const { result } = await renderHook(useAll, { wrapper });
  expect(result.current.gallery.items.map(({ id }) => id)).toEqual(['a']);
  mockRemove.mockResolvedValue(undefined);
  await act(() => result.current.deleteItem(item('succeeded')));
  expect(result.current.gallery.items).toEqual([]);
  await Promise.all(deletions.ofUser('u').map(deletions.finish));
  expect(localStorage.getItem('pilotlight.1.gallery.before')).toBe('[]');
});

test('a retry takes the place of what was never accepted', async () => {
  const { result } = await renderHook(useAll, { wrapper });
  await act(async () => {
    const id = result.current.generate('preview', { prompt: 'a fox' });
    const refused = outbox.change(id, { refusal: { code: 'insufficient_credits', message: '' } });
    absorb(client, 'u', refused ? [outbox.toItem(refused)] : []);
    galleryOf(client, 'u').items.forEach((card) => result.current.retryItem(card));
  });
  expect(result.current.gallery.items.map(({ status }) => status)).toEqual(['sending']);
  expect(outbox.ofUser('u')).toHaveLength(1);
});

test('what was deleted is gone at once, stays gone at the next start, and comes back when it is undone', async () => {
  localStorage.setItem('pilotlight.1.gallery.u', JSON.stringify([item('succeeded')]));
  client.setQueryData(['gallery', 'u'], { items: [item('succeeded')], cursor: null, gone: [] });
  const { result } = await renderHook(useAll, { wrapper });
  await act(() => result.current.deleteItem(item('succeeded')));
  expect(result.current.gallery.items).toEqual([]);
  expect(openGallery('u').items).toEqual([]);
  await act(() => void expect(result.current.undoDelete(item('succeeded'))).toBe(true));
  expect(result.current.gallery.items).toHaveLength(1);
  expect(openGallery('u').items).toHaveLength(1);
  expect(deletions.ofUser('u')).toEqual([]);
  expect(mockRemove).not.toHaveBeenCalled();
});

test('the disk answers before the server: the first screen is the last one', async () => {
  localStorage.setItem('pilotlight.1.gallery.u', JSON.stringify([item('succeeded')]));
  const { result } = await renderHook(useAll, { wrapper });
  expect(result.current.gallery.items).toEqual([item('succeeded')]);
});

test('a second user of the phone sees nothing of the first', async () => {
  localStorage.setItem('pilotlight.1.gallery.u', JSON.stringify([item('succeeded')]));
  const { result } = await renderHook(useAll, { wrapper });
  await act(() => session.set({ userId: 'another', isReady: true }));
  expect(result.current.gallery.items).toEqual([]);
});
