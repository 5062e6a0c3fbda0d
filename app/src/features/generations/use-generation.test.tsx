import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { renderHook } from '@testing-library/react-native';
import type { PropsWithChildren } from 'react';

import { session } from '@/lib/session';

import { readJobs } from './api';
import { changeGallery } from './cache';
import { EMPTY } from './merge';
import { item } from './samples.test.data';
import { useGeneration } from './use-generation';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.mock('./api', () => ({ ...jest.requireActual('./api'), readGallery: () => new Promise(() => {}), readJobs: jest.fn() }));

test('a link that writes the id in capitals means the same generation', async () => {
  const card = item('succeeded', { id: '01a21938-7f5a-7bad-9d14-bf94e7d52d31' });
  const client = new QueryClient({ defaultOptions: { queries: { gcTime: Infinity, retry: false } } });
  const wrapper = ({ children }: PropsWithChildren) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
  session.set({ userId: 'u', isReady: true });
  changeGallery(client, 'u', () => ({ ...EMPTY, items: [card] }));
  const { result, unmount } = await renderHook(() => useGeneration(card.id.toUpperCase()), { wrapper });
  expect(result.current).toEqual({ item: card, isLookingUp: false });
  expect(readJobs).not.toHaveBeenCalled();
  await unmount();
});
