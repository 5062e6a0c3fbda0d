/** URLs of private pictures. They come with the news of a job, or are requested together.
 * They are kept on disk, and renewed before they expire. */

import { readDisk, writeDisk } from '@/lib/disk';
import { session } from '@/lib/session';

import { signPaths, urlOf } from './api';
import { signedUrls } from './schemas';
import type { Stored } from './types';

const LIFE = 3600; // seconds
export const RENEW_BEFORE = 10 * 60_000;
const ON_DISK = 100;

export interface SignedUrl {
  url: string;
  expiresAt: number;
}

let batch: { paths: Set<string>; urls: Promise<Map<string, string>> } | null = null;

/** Sign a path. One call signs all paths of one moment. */
export async function sign(path: string): Promise<SignedUrl> {
  const { userId } = session.get();
  const expiresAt = Date.now() + LIFE * 1000;
  batch ??= nextBatch();
  batch.paths.add(path);
  const url = (await batch.urls).get(path);
  if (!url) throw new Error(`${path} is not there`);
  // A URL that was requested before a sign-out or a deletion comes too late for the disk.
  if (session.get().userId !== userId) return { url, expiresAt };
  const { [path]: _old, ...others } = onDisk();
  const newest = [...Object.entries(others), [path, { url, expiresAt }] as const].slice(-ON_DISK);
  writeDisk('urls', Object.fromEntries(newest));
  return { url, expiresAt };
}

function nextBatch() {
  const paths = new Set<string>();
  const urls = Promise.resolve().then(() => {
    batch = null;
    return signPaths([...paths], LIFE);
  });
  return { paths, urls };
}

/** Return the URL of an earlier start while it is valid:
 * the picture is then in the system's cache, also offline. Otherwise return the URL of the news. */
export function knownUrl(output: Stored): SignedUrl | undefined {
  const known = onDisk()[output.path] ?? sent(output);
  return known && known.expiresAt > Date.now() ? known : undefined;
}

function sent({ path, token }: Stored): SignedUrl | undefined {
  return token ? { url: urlOf(path, token), expiresAt: expiryOf(token) } : undefined;
}

/** Return the expiry in milliseconds; 0 for a token without one. */
function expiryOf(token: string): number {
  try {
    const [, claims = ''] = token.split('.');
    const { exp } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))) as { exp?: number };
    return (exp ?? 0) * 1000;
  } catch {
    return 0;
  }
}

export function forget(path: string): void {
  const { [path]: _forgotten, ...others } = onDisk();
  writeDisk('urls', others);
}

function onDisk(): Partial<Record<string, SignedUrl>> {
  return readDisk('urls', signedUrls) ?? {};
}
