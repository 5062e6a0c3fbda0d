import { renderHook } from '@testing-library/react-native';

import { remove } from './api';
import { note, ofUser, UNDO_FOR } from './deletions';
import { useDeletions } from './use-deletions';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.mock('./api', () => ({ ...jest.requireActual('./api'), remove: jest.fn() }));
jest.useFakeTimers();

const wanted = (at: number) => ({ id: 'a', userId: 'u', at, isOnServer: true, replacedBy: null });

beforeEach(() => {
  localStorage.clear();
  jest.mocked(remove).mockReset().mockResolvedValue(undefined);
});

test('a clock that was set back neither keeps what was deleted nor keeps the app busy', async () => {
  const timeout = jest.spyOn(globalThis, 'setTimeout');
  note(wanted(Date.now() + 50 * 365 * 86_400_000));
  const { unmount } = await renderHook(() => useDeletions('u'));
  await jest.advanceTimersByTimeAsync(UNDO_FOR);
  expect(remove).toHaveBeenCalledWith('a');
  expect(ofUser('u')).toEqual([]);
  expect(timeout.mock.calls.map(([, milliseconds]) => milliseconds ?? 0).filter((milliseconds) => milliseconds > 2 ** 31 - 1)).toEqual([]);
  await unmount();
});
