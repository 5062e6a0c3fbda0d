/** Pushes through Expo. */

import Constants from 'expo-constants';
import * as Notifications from 'expo-notifications';
import { Platform } from 'react-native';

const CHANNEL = 'default';

/** This device as Expo names it; null without permission, or where the app is no project of Expo's service. */
export async function pushToken(channel: string, mayAsk: boolean): Promise<string | null> {
  const projectId = Constants.easConfig?.projectId ?? Constants.expoConfig?.extra?.eas?.projectId;
  if (typeof projectId !== 'string') return null;
  if (!(await isAllowed(channel, mayAsk))) return null;
  return (await Notifications.getExpoPushTokenAsync({ projectId })).data;
}

async function isAllowed(channel: string, mayAsk: boolean): Promise<boolean> {
  if (Platform.OS === 'android') {
    // Before the question: Android 13 asks nothing for an app without a channel.
    await Notifications.setNotificationChannelAsync(CHANNEL, {
      name: channel,
      importance: Notifications.AndroidImportance.DEFAULT,
    });
  }
  const { granted, canAskAgain } = await Notifications.getPermissionsAsync();
  return granted || (mayAsk && canAskAgain && (await Notifications.requestPermissionsAsync()).granted);
}

/** Calls back with the job of a push that was tapped, also of the tap that started the app. */
export function onPushTapped(callback: (jobId: string) => void): () => void {
  const tell = ({ notification }: Notifications.NotificationResponse) => {
    const job: unknown = notification.request.content.data?.job;
    Notifications.clearLastNotificationResponse(); // it would be told again at the next mount
    if (typeof job === 'string') callback(job);
  };
  const first = Notifications.getLastNotificationResponse();
  if (first) tell(first);
  const subscription = Notifications.addNotificationResponseReceivedListener(tell);
  return () => subscription.remove();
}
