/** Small JSON values that survive the app, written at once. If the disk is full or forbidden, they are lost, and no tap fails. */

import 'expo-sqlite/localStorage/install';

const PREFIX = 'pilotlight.';

export function readDisk(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key) ?? 'null');
  } catch {
    return null;
  }
}

export function writeDisk(key: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch (error) {
    console.warn('disk.write_failed', key, error);
  }
}

export function eraseDisk(key: string): void {
  try {
    localStorage.removeItem(PREFIX + key);
  } catch (error) {
    console.warn('disk.erase_failed', key, error);
  }
}

export function keysOnDisk(start: string): string[] {
  try {
    const keys = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? '');
    return keys.filter((key) => key.startsWith(PREFIX + start)).map((key) => key.slice(PREFIX.length));
  } catch {
    return [];
  }
}
