/** Loads pictures ahead for the screen, and shares or saves them. */

import { Image } from 'expo-image';

import type { Picture } from './pictures';

export function loadAhead(url: string): void {
  void Image.prefetch(url);
}

export async function sharePicture(picture: Picture): Promise<void> {
  const file = await download(picture);
  if (navigator.canShare?.({ files: [file] })) {
    await navigator.share({ files: [file] }).catch(ignoreDismissal);
  } else {
    saveInBrowser(file);
  }
}

async function download({ url, name, mime }: Picture): Promise<File> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the picture could not be fetched: ${response.status}`);
  return new File([await response.blob()], name, { type: mime });
}

function saveInBrowser(file: File): void {
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
