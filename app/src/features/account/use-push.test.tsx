import { notifyManager, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook } from '@testing-library/react-native';
import { isRunningInExpoGo } from 'expo';
import * as Notifications from 'expo-notifications';
import type { PropsWithChildren } from 'react';

import { item } from '@/features/generations/samples.test.data';
import { session } from '@/lib/session';

import { LONG, unregister, usePush } from './use-push';

const mockRpc = jest.fn();
const mockPush = jest.fn();
const mockHeader = jest.fn();
const mockGetSession = jest.fn();
jest.mock('@/lib/supabase', () => ({
  supabase: {
    auth: { getSession: () => mockGetSession() },
    rpc: (...call: unknown[]) => {
      mockRpc(...call);
      return { setHeader: mockHeader };
    },
  },
}));
jest.mock('expo', () => ({ ...jest.requireActual('expo'), isRunningInExpoGo: jest.fn() }));
jest.mock('expo-router', () => ({ useRouter: () => mockRouter }));
const mockRouter = { push: (...call: unknown[]) => mockPush(...call) };
jest.mock('expo-constants', () => ({ expoConfig: { extra: { eas: { projectId: 'project' } } } }));
jest.mock('expo-notifications', () => ({
  getPermissionsAsync: jest.fn(),
  requestPermissionsAsync: jest.fn(),
  getExpoPushTokenAsync: jest.fn(async () => ({ data: 'ExponentPushToken[a]' })),
  getLastNotificationResponse: jest.fn(() => null),
  clearLastNotificationResponse: jest.fn(),
  addNotificationResponseReceivedListener: jest.fn(() => ({ remove: () => {} })),
}));
jest.mock('@/features/generations/api', () => ({
  ...jest.requireActual('@/features/generations/api'),
  readGallery: () => new Promise(() => {}),
}));
jest.useFakeTimers();
notifyManager.setScheduler(queueMicrotask); // as the app does

const ALLOWED = { granted: true, canAskAgain: true };
const NOT_YET = { granted: false, canAskAgain: true };
const ask = jest.mocked(Notifications.requestPermissionsAsync);
const response = (job: string) => ({ notification: { request: { content: { data: { job } } } } }) as unknown as Notifications.NotificationResponse;

let client: QueryClient;
const wrapper = ({ children }: PropsWithChildren) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
const show = (...items: ReturnType<typeof item>[]) => act(() => void client.setQueryData(['gallery', 'u'], { items, cursor: null, gone: [] }));

beforeEach(() => {
  localStorage.clear();
  jest.clearAllMocks();
  jest.mocked(isRunningInExpoGo).mockReturnValue(false);
  jest.mocked(Notifications.getPermissionsAsync).mockResolvedValue(NOT_YET as Notifications.NotificationPermissionsStatus);
  ask.mockResolvedValue(ALLOWED as Notifications.NotificationPermissionsStatus);
  session.set({ userId: 'u', isReady: true });
  client = new QueryClient({ defaultOptions: { queries: { gcTime: Infinity, retry: false } } });
});

test('asks when a generation takes long, not at launch and not for a short one, and once', async () => {
  const { unmount } = await renderHook(usePush, { wrapper });
  await act(() => jest.advanceTimersByTimeAsync(60_000));
  await show(item('running'));
  await act(() => jest.advanceTimersByTimeAsync(LONG - 1));
  await show(item('succeeded'));
  await act(() => jest.advanceTimersByTimeAsync(60_000));
  expect(ask).not.toHaveBeenCalled();

  for (const id of ['b', 'c']) {
    await show(item('running', { id }));
    await act(() => jest.advanceTimersByTimeAsync(LONG));
    await show();
  }
  expect(ask).toHaveBeenCalledTimes(1);
  expect(mockRpc.mock.calls).toEqual([['register_device', { p_token: 'ExponentPushToken[a]', p_platform: 'ios' }]]);
  await unmount();
});

test('a device that may is registered at every start, for every user', async () => {
  jest.mocked(Notifications.getPermissionsAsync).mockResolvedValue(ALLOWED as Notifications.NotificationPermissionsStatus);
  const { unmount } = await renderHook(usePush, { wrapper });
  await act(() => session.set({ userId: 'next', isReady: true }));
  expect(mockRpc).toHaveBeenCalledTimes(2);
  expect(ask).not.toHaveBeenCalled();
  await unmount();
});

test('a sign-out unregisters the device, with the token of the user who leaves', async () => {
  jest.mocked(Notifications.getPermissionsAsync).mockResolvedValue(ALLOWED as Notifications.NotificationPermissionsStatus);
  mockGetSession.mockResolvedValueOnce({ data: { session: { access_token: 'of u' } } });
  await unregister();
  expect(mockRpc.mock.calls).toEqual([['unregister_device', { p_token: 'ExponentPushToken[a]' }]]);
  expect(mockHeader.mock.calls).toEqual([['Authorization', 'Bearer of u']]);
  expect(ask).not.toHaveBeenCalled();
});

test.each([
  ['no session', () => mockGetSession.mockResolvedValueOnce({ data: { session: null } })],
  ['no disk', () => mockGetSession.mockRejectedValueOnce(new Error('locked'))],
])('and goes on with %s', async (_name, arrange) => {
  jest.spyOn(console, 'warn').mockImplementation(() => {});
  arrange();
  await unregister();
  expect(mockRpc).not.toHaveBeenCalled();
});

test('a tap opens the picture, also the tap that starts the app', async () => {
  jest.mocked(Notifications.getLastNotificationResponse).mockReturnValueOnce(response('first'));
  const { unmount } = await renderHook(usePush, { wrapper });
  const [[heard] = []] = jest.mocked(Notifications.addNotificationResponseReceivedListener).mock.calls;
  heard?.(response('second'));
  const opened = mockPush.mock.calls.map(([{ params }]) => params.id);
  expect(opened).toEqual(['first', 'second']);
  expect(Notifications.clearLastNotificationResponse).toHaveBeenCalledTimes(2);
  await unmount();
});

test('Expo Go, which takes no pushes, does not load the package', async () => {
  jest.mocked(isRunningInExpoGo).mockReturnValue(true);
  const { unmount } = await renderHook(usePush, { wrapper });
  await show(item('running'));
  await act(() => jest.advanceTimersByTimeAsync(LONG));
  expect(Notifications.getLastNotificationResponse).not.toHaveBeenCalled();
  expect(ask).not.toHaveBeenCalled();
  await unmount();
});

test('a phone without push credentials goes on', async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => {});
  jest.mocked(Notifications.getPermissionsAsync).mockRejectedValue(new Error('no credentials'));
  const { unmount } = await renderHook(usePush, { wrapper });
  await show(item('running'));
  await act(() => jest.advanceTimersByTimeAsync(LONG));
  expect(mockRpc).not.toHaveBeenCalled();
  await unmount();
});
