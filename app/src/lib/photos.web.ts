/** Photos of unsent requests, as blobs in IndexedDB:
 * localStorage is too small, and the picker's URLs end with the page. */

import { NAME } from './name';

const STORE = 'photos';

/** For browsers that forbid IndexedDB; these photos are lost with the page. */
const inMemory = new Map<string, Blob>();

export async function keepPhoto(id: string, uri: string): Promise<void> {
  const blob = await (await fetch(uri)).blob();
  // A browser that is short of space does not evict persistent storage.
  void navigator.storage?.persist?.().catch(() => {});
  await ask('readwrite', (photos) => photos.put(blob, id)).catch(() => inMemory.set(id, blob));
}

/** Return the bytes of a photo, or null if it is no longer in this browser. */
export const readPhoto = async (id: string): Promise<ArrayBuffer | null> => (await blobOf(id))?.arrayBuffer() ?? null;

/** Return a URL of a photo, valid while the page lives. */
export async function showPhoto(id: string): Promise<string | null> {
  const blob = await blobOf(id);
  return blob && URL.createObjectURL(blob);
}

async function blobOf(id: string): Promise<Blob | null> {
  const blob: unknown = inMemory.get(id) ?? (await ask('readonly', (photos) => photos.get(id)).catch(() => null));
  return blob instanceof Blob ? blob : null;
}

export async function keptPhotos(): Promise<string[]> {
  const keys = await ask('readonly', (photos) => photos.getAllKeys()).catch(() => []);
  return [...keys.map(String), ...inMemory.keys()];
}

export async function erasePhoto(id: string): Promise<void> {
  inMemory.delete(id);
  await ask('readwrite', (photos) => photos.delete(id)).catch(() => {});
}

async function ask<T>(mode: IDBTransactionMode, question: (photos: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    const transaction = database.transaction(STORE, mode);
    const answer = question(transaction.objectStore(STORE));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    return answer.result;
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new Error('another tab keeps an older version open'));
  });
}
