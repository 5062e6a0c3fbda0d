/** Photos of unsent requests, as files:
 * they outlive the process of the app, unlike the picker's copies. */

import { Directory, File, Paths } from 'expo-file-system';

// The path is relative to the documents: iOS moves that folder at every update of the app.
const folder = () => new Directory(Paths.document, 'outbox');
const fileOf = (id: string) => new File(folder(), `${id}.jpg`);

export async function keepPhoto(id: string, uri: string): Promise<void> {
  folder().create({ intermediates: true, idempotent: true });
  await new File(uri).copy(fileOf(id));
}

/** Return the bytes of a photo, or null if it is no longer on this phone. */
export async function readPhoto(id: string): Promise<ArrayBuffer | null> {
  const file = fileOf(id);
  return file.exists ? file.arrayBuffer() : null;
}

/** Return the URI of a photo, or null if it is no longer on this phone. */
export const showPhoto = async (id: string): Promise<string | null> => (fileOf(id).exists ? fileOf(id).uri : null);

export async function keptPhotos(): Promise<string[]> {
  return folder().exists ? folder().list().map(({ name }) => name.replace(/\.jpg$/, '')) : [];
}

export async function erasePhoto(id: string): Promise<void> {
  if (fileOf(id).exists) fileOf(id).delete();
}
