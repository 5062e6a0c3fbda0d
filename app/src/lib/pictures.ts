/** Hands pictures to the system to share or save. */

import { File, Paths } from 'expo-file-system';
import * as Sharing from 'expo-sharing';

export interface Picture {
  url: string;
  name: string;
  mime: string;
}

/** A phone keeps pictures by another name than their URL, and would load one twice. */
export function loadAhead(_url: string): void {}

/** The sheet of the system offers both sharing and saving to the photos. */
export async function sharePicture({ url, name, mime }: Picture): Promise<void> {
  const file = await File.downloadFileAsync(url, new File(Paths.cache, name), { idempotent: true });
  await Sharing.shareAsync(file.uri, { mimeType: mime });
}
