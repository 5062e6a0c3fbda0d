/** Passes pictures to the phone: to share them, or to save them in its photos. */

import { File, Paths } from 'expo-file-system';
import * as Haptics from 'expo-haptics';
import { Asset, requestPermissionsAsync } from 'expo-media-library';
import * as Sharing from 'expo-sharing';
import { Platform } from 'react-native';

export interface Picture {
  url: string;
  name: string;
  mime: string;
}

export async function sharePicture(picture: Picture): Promise<void> {
  const file = await download(picture);
  await Sharing.shareAsync(file.uri, { mimeType: picture.mime });
}

/** Save a picture, and return whether it is in the photos.
 * Without access to them, the share sheet opens instead. */
export async function savePicture(picture: Picture): Promise<boolean> {
  const isSound = picture.mime.startsWith('audio/');
  // Android 10 and later let an app add its own pictures without a permission.
  const isOpen = !isSound && (Platform.OS === 'android' || (await requestPermissionsAsync(true)).granted);
  const file = await download(picture);
  const isSaved = isOpen && (await Asset.create(file.uri).then(() => true, () => false));
  if (!isSaved) await Sharing.shareAsync(file.uri, { mimeType: picture.mime });
  return isSaved;
}

/** Give haptic feedback when an awaited picture is there. */
export function tapFinger(): void {
  void Haptics.notificationAsync(Haptics.NotificationFeedbackType.Success).catch(() => {});
}

const download = ({ url, name }: Picture) => File.downloadFileAsync(url, new File(Paths.cache, name), { idempotent: true });
