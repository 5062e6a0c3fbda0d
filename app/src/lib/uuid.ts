/** Ids that grow with time (UUID version 7): rows of one day lie together in the database. */

import { getRandomValues } from 'expo-crypto';

// Not randomUUID: browsers offer it on https and localhost only.
export function uuidv7(now = Date.now()): string {
  const bytes = getRandomValues(new Uint8Array(16));
  const time = Math.max(0, now).toString(16).padStart(12, '0');
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = '89ab'[(bytes[8] ?? 0) % 4];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** The time of an id of version 7, in milliseconds; a time long ago for any other text. */
export const timeOf = (id: string): number => parseInt(id.replace('-', '').slice(0, 12), 16) || 0;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const isUuid = (text: string): boolean => UUID.test(text);
