/** The disk, if there is one. Values that it does not accept stay in memory until the app ends. */

import 'expo-sqlite/localStorage/install';

/** Values newer than the disk; null stands for a removed value. */
const inMemory = new Map<string, string | null>();

/** Keys that could not be read at the last attempt. */
const unread = new Set<string>();

/** Return the result of `attempt`, or `otherwise` if storage is forbidden:
 * a browser then throws at any access. */
function withDisk<T>(attempt: (disk: Storage) => T, otherwise: T): T {
  try {
    return attempt(localStorage);
  } catch {
    return otherwise;
  }
}

/** Whether an unreadable value may still exist: it must not be overwritten unseen. */
function isUnseen(key: string): boolean {
  if (!unread.has(key) || storage.isForbidden()) return false;
  return withDisk((disk) => disk.getItem(key) !== null, true);
}

function onDisk(key: string, change: (disk: Storage) => void, value: string | null): boolean {
  const isWritten = withDisk((disk) => {
    change(disk);
    return true;
  }, false);
  if (isWritten) inMemory.delete(key);
  else inMemory.set(key, value);
  return isWritten;
}

export const storage = {
  getItem(key: string): string | null {
    if (inMemory.has(key)) return inMemory.get(key) ?? null;
    unread.add(key);
    return withDisk((disk) => {
      const value = disk.getItem(key);
      unread.delete(key);
      return value;
    }, null);
  },

  /** Whether the disk can be read again after a failure:
   * values that seemed to be missing may exist. */
  hasComeBack(): boolean {
    const keys = [...unread];
    keys.forEach((key) => storage.getItem(key));
    return keys.some((key) => !unread.has(key));
  },

  /** Whether a browser forbids storage; it then does so permanently. */
  isForbidden: (): boolean => withDisk(() => false, true),

  /** Whether there is a disk that cannot be read now. */
  isLocked: (): boolean => unread.size > 0 && !storage.isForbidden(),

  /** Never throws: a caller that cannot save a session would create a new user. */
  setItem(key: string, value: string): void {
    if (isUnseen(key)) return void inMemory.set(key, value);
    const write = () => onDisk(key, (disk) => disk.setItem(key, value), value);
    if (!write() && !(makeRoom(key) && write())) console.warn('disk.write_failed', key);
  },

  /** Whether the value outlives the process of the app. */
  isOnDisk: (key: string): boolean => !inMemory.has(key) && storage.getItem(key) !== null,

  removeItem(key: string): void {
    onDisk(key, (disk) => disk.removeItem(key), null);
  },

  keys(): string[] {
    const stored = withDisk((disk) => Array.from({ length: disk.length }, (_, index) => disk.key(index) ?? ''), []);
    return [...new Set([...stored, ...inMemory.keys()])].filter((key) => inMemory.get(key) !== null);
  },
};

let expendable = (_key: string): boolean => false;

/** Declare which values the server can send again. A full disk drops them first. */
export function setExpendable(isExpendable: (key: string) => boolean): void {
  expendable = isExpendable;
}

function makeRoom(wanted: string): boolean {
  if (expendable(wanted)) return false;
  const victims = storage.keys().filter(expendable);
  victims.forEach((key) => storage.removeItem(key));
  return victims.length > 0;
}
