import { notifyManager, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook, waitFor } from '@testing-library/react-native';
import type { PropsWithChildren } from 'react';

import { session } from '@/lib/session';

import { type Page, readGallery } from './api';
import { item } from './samples.test.data';
import { useGallery } from './use-gallery';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.mock('./api', () => ({
  ...jest.requireActual('./api'),
  readGallery: jest.fn(),
}));
// As the app does: a change is drawn in its frame, within act
notifyManager.setScheduler(queueMicrotask);

const FIRST: Page = { items: [item('succeeded', { id: 'new' })], cursor: { at: '2026-01-01T10:00:01+00:00', id: 'new' }, jobs: [] };
const OLDER: Page = { items: [item('succeeded', { id: 'old' })], cursor: null, jobs: [] };

let client: QueryClient;
let answerFirst: (page: Page) => void;
let refuseFirst: (error: Error) => void;
const wrapper = ({ children }: PropsWithChildren) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
const timesOlderWasRead = () => jest.mocked(readGallery).mock.calls.filter(([before]) => before !== null).length;

beforeEach(() => {
  localStorage.clear();
  localStorage.setItem('pilotlight.1.gallery.u', JSON.stringify(FIRST.items));
  session.set({ userId: 'u', isReady: true });
  client = new QueryClient({
    defaultOptions: { queries: { gcTime: Infinity, retry: false }, mutations: { gcTime: Infinity } },
  });
  const first = () =>
    new Promise<Page>((resolve, reject) => {
      answerFirst = resolve;
      refuseFirst = reject;
    });
  jest.mocked(readGallery).mockReset().mockImplementation((before) => (before === null ? first() : Promise.resolve(OLDER)));
});

async function showGallery() {
  const { result } = await renderHook(useGallery, { wrapper });
  await waitFor(() => expect(readGallery).toHaveBeenCalledTimes(1));
  const ids = () => result.current.items.map(({ id }) => id);
  return { ids, loadOlder: () => act(() => result.current.loadOlder()), refresh: () => result.current.refresh() };
}

test('the end of the gallery from disk, reached before the server answered, is followed by older pictures', async () => {
  const { ids, loadOlder } = await showGallery();
  await loadOlder();
  expect(timesOlderWasRead()).toBe(0);
  await act(async () => answerFirst(FIRST));
  await waitFor(() => expect(ids()).toEqual(['new', 'old']));
});

test('so it is when the first answer fails and a later one comes', async () => {
  const { ids, loadOlder, refresh } = await showGallery();
  await loadOlder();
  await act(async () => refuseFirst(new Error('no connection')));
  await act(async () => void refresh());
  await act(async () => answerFirst(FIRST));
  await waitFor(() => expect(ids()).toEqual(['new', 'old']));
});

test('an older page is read once for each time that the list asks', async () => {
  const { ids, loadOlder } = await showGallery();
  await act(async () => answerFirst(FIRST));
  expect(timesOlderWasRead()).toBe(0);
  jest.mocked(readGallery).mockResolvedValue({ ...OLDER, cursor: { at: '2026-01-01T09:00:00+00:00', id: 'old' } });
  await loadOlder();
  await waitFor(() => expect(ids()).toEqual(['new', 'old']));
  expect(timesOlderWasRead()).toBe(1);
});

test('a gallery that ends with its first page reads no other', async () => {
  const { loadOlder } = await showGallery();
  await act(async () => answerFirst({ ...FIRST, cursor: null }));
  await loadOlder();
  expect(readGallery).toHaveBeenCalledTimes(1);
});
