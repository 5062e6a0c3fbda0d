/** Pushes through Expo. */

import { isRunningInExpoGo } from 'expo';
import Constants from 'expo-constants';
import type { NotificationResponse } from 'expo-notifications';
import { Platform } from 'react-native';

const CHANNEL = 'default';

/** Null in Expo Go: it takes no pushes, and on Android the package throws there when it loads. */
const loaded = (): typeof import('expo-notifications') | null =>
  // An import would load it everywhere.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  isRunningInExpoGo() ? null : require('expo-notifications');

/** Return Expo's token of this device; null without permission, or if the app is no project of
 * Expo's service. */
export async function pushToken(channel: string, mayAsk: boolean): Promise<string | null> {
  const projectId = Constants.easConfig?.projectId ?? Constants.expoConfig?.extra?.eas?.projectId;
  if (typeof projectId !== 'string') return null;
  const notifications = loaded();
  if (!notifications) return null;
  if (Platform.OS === 'android') {
    // Create the channel before the request: without one, Android 13 shows no request.
    const importance = notifications.AndroidImportance.DEFAULT;
    await notifications.setNotificationChannelAsync(CHANNEL, { name: channel, importance });
  }
  const { granted, canAskAgain } = await notifications.getPermissionsAsync();
  const isAllowed = granted || (mayAsk && canAskAgain && (await notifications.requestPermissionsAsync()).granted);
  return isAllowed ? (await notifications.getExpoPushTokenAsync({ projectId })).data : null;
}

/** Call back with the job of a tapped push, also of the tap that started the app. */
export function onPushTapped(callback: (jobId: string) => void): () => void {
  const notifications = loaded();
  if (!notifications) return () => {};
  const tell = ({ notification }: NotificationResponse) => {
    const job: unknown = notification.request.content.data?.job;
    notifications.clearLastNotificationResponse(); // or the next mount would get it again
    if (typeof job === 'string') callback(job);
  };
  const first = notifications.getLastNotificationResponse();
  if (first) tell(first);
  const subscription = notifications.addNotificationResponseReceivedListener(tell);
  return () => subscription.remove();
}
