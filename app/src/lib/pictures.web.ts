/** Passes pictures to the browser: to share them, or as a download. */

import type { Picture } from './pictures';

export type { Picture };

export async function sharePicture(picture: Picture): Promise<void> {
  const file = await download(picture);
  if (!navigator.canShare?.({ files: [file] })) return saveInBrowser(file);
  await navigator.share({ files: [file] }).catch((error: unknown) => {
    // The user closed the sheet.
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
  });
}

/** Download a picture.
 * Returns false, because it is not in the photos: a browser shows its downloads itself. */
export async function savePicture(picture: Picture): Promise<boolean> {
  saveInBrowser(await download(picture));
  return false;
}

/** A browser has no haptic feedback. */
export function tapFinger(): void {}

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
