import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { renderHook } from '@testing-library/react-native';
import type { PropsWithChildren } from 'react';

import { Refused, remove } from './api';
import { changeGallery, galleryOf } from './cache';
import { deletionRefused, note, ofUser, UNDO_FOR } from './deletions';
import { EMPTY } from './merge';
import { item } from './samples.test.data';
import { hasEnded } from './types';
import { useDeletions } from './use-deletions';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.mock('./api', () => ({ ...jest.requireActual('./api'), remove: jest.fn() }));
jest.useFakeTimers();

const client = new QueryClient();
const wrapper = ({ children }: PropsWithChildren) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
const wanted = (at: number) => ({ id: 'a', userId: 'u', at, isOnServer: true, replacedBy: null });

beforeEach(() => {
  localStorage.clear();
  jest.mocked(remove).mockReset().mockResolvedValue(undefined);
});

test('a clock that was set back neither keeps what was deleted nor keeps the app busy', async () => {
  const timeout = jest.spyOn(globalThis, 'setTimeout');
  note(wanted(Date.now() + 50 * 365 * 86_400_000));
  const { unmount } = await renderHook(() => useDeletions('u'), { wrapper });
  await jest.advanceTimersByTimeAsync(UNDO_FOR);
  expect(remove).toHaveBeenCalledWith('a');
  expect(ofUser('u')).toEqual([]);
  expect(timeout.mock.calls.map(([, milliseconds]) => milliseconds ?? 0).filter((milliseconds) => milliseconds > 2 ** 31 - 1)).toEqual([]);
  await unmount();
});

test('a deletion that the server refuses is over: the card is back, with the words of the server', async () => {
  const card = item('failed', { id: 'a' });
  changeGallery(client, 'u', () => ({ ...EMPTY, gone: ['a'] }));
  jest.mocked(remove).mockRejectedValue(new Refused('legal_hold', 'It is kept for a court.'));
  note({ ...wanted(0), card: hasEnded(card) ? card : null });
  const { unmount } = await renderHook(() => useDeletions('u'), { wrapper });
  await jest.advanceTimersByTimeAsync(60_000);
  expect(remove).toHaveBeenCalledTimes(1);
  expect(galleryOf(client, 'u')).toMatchObject({ items: [card], gone: [] });
  expect(deletionRefused.get()).toBe('It is kept for a court.');
  expect(ofUser('u')).toEqual([]);
  await unmount();
});
