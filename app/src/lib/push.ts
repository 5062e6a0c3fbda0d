/** Pushes through Expo. */

import { isRunningInExpoGo } from 'expo';
import Constants from 'expo-constants';
import type { NotificationResponse } from 'expo-notifications';
import { Platform } from 'react-native';

const CHANNEL = 'default';

/** Null in Expo Go: it takes no pushes, and on Android the package throws there as it loads. */
const loaded = (): typeof import('expo-notifications') | null =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would load it everywhere
  isRunningInExpoGo() ? null : require('expo-notifications');

/** This device as Expo names it; null without permission, or where the app is no project of Expo's service. */
export async function pushToken(channel: string, mayAsk: boolean): Promise<string | null> {
  const projectId = Constants.easConfig?.projectId ?? Constants.expoConfig?.extra?.eas?.projectId;
  if (typeof projectId !== 'string') return null;
  const notifications = loaded();
  if (!notifications) return null;
  if (Platform.OS === 'android') {
    // Before the question: Android 13 asks nothing for an app without a channel.
    const importance = notifications.AndroidImportance.DEFAULT;
    await notifications.setNotificationChannelAsync(CHANNEL, { name: channel, importance });
  }
  const { granted, canAskAgain } = await notifications.getPermissionsAsync();
  const isAllowed = granted || (mayAsk && canAskAgain && (await notifications.requestPermissionsAsync()).granted);
  return isAllowed ? (await notifications.getExpoPushTokenAsync({ projectId })).data : null;
}

/** Calls back with the job of a push that was tapped, also of the tap that started the app. */
export function onPushTapped(callback: (jobId: string) => void): () => void {
  const notifications = loaded();
  if (!notifications) return () => {};
  const tell = ({ notification }: NotificationResponse) => {
    const job: unknown = notification.request.content.data?.job;
    notifications.clearLastNotificationResponse(); // it would be told again at the next mount
    if (typeof job === 'string') callback(job);
  };
  const first = notifications.getLastNotificationResponse();
  if (first) tell(first);
  const subscription = notifications.addNotificationResponseReceivedListener(tell);
  return () => subscription.remove();
}
