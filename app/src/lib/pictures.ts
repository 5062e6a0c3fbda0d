/** Loads pictures ahead for the screen, and hands them to the system to share or save. */

import { File, Paths } from 'expo-file-system';
import { Image } from 'expo-image';
import * as Sharing from 'expo-sharing';
import { Platform } from 'react-native';

/** Begins to load a picture ahead. A phone keeps pictures by another name than their URL and would load it twice. */
export function loadAhead(url: string): void {
  if (Platform.OS === 'web') void Image.prefetch(url);
}

export interface Picture {
  url: string;
  name: string;
  mime: string;
}

/** A phone's sheet offers both sharing and saving to the photos. */
export async function sharePicture(picture: Picture): Promise<void> {
  if (Platform.OS !== 'web') return shareFromPhone(picture);
  const file = await download(picture);
  if (navigator.canShare?.({ files: [file] })) {
    await navigator.share({ files: [file] }).catch(ignoreDismissal);
  } else {
    saveInBrowser(file);
  }
}

async function shareFromPhone({ url, name, mime }: Picture): Promise<void> {
  const file = await File.downloadFileAsync(url, new File(Paths.cache, name), { idempotent: true });
  await Sharing.shareAsync(file.uri, { mimeType: mime });
}

async function download({ url, name, mime }: Picture): Promise<globalThis.File> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the picture could not be fetched: ${response.status}`);
  return new globalThis.File([await response.blob()], name, { type: mime });
}

function saveInBrowser(file: globalThis.File): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function ignoreDismissal(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
}
