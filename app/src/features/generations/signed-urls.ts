/** URLs of private pictures: asked for together, kept on disk, renewed before they expire. */

import { readDisk, writeDisk } from '@/lib/disk';

import { signPaths } from './api';

const LIFE = 3600; // seconds
export const RENEW_BEFORE = 10 * 60_000;
const ON_DISK = 100;

export interface SignedUrl {
  url: string;
  expiresAt: number;
}

type Waiting = { resolve(signed: SignedUrl): void; reject(error: unknown): void };
let waiting = new Map<string, Waiting[]>();

/** All paths of one moment are signed by one call. */
export function sign(path: string): Promise<SignedUrl> {
  if (waiting.size === 0) queueMicrotask(() => void signAll());
  return new Promise((resolve, reject) => {
    waiting.set(path, [...(waiting.get(path) ?? []), { resolve, reject }]);
  });
}

async function signAll(): Promise<void> {
  const asked = waiting;
  waiting = new Map();
  const expiresAt = Date.now() + LIFE * 1000;
  try {
    const urls = await signPaths([...asked.keys()], LIFE);
    for (const [path, waiters] of asked) {
      const url = urls.get(path);
      if (url) keep(path, { url, expiresAt });
      for (const { resolve, reject } of waiters) {
        if (url) resolve({ url, expiresAt });
        else reject(new Error(`${path} is not there`));
      }
    }
  } catch (error) {
    [...asked.values()].flat().forEach(({ reject }) => reject(error));
  }
}

/** The URL of an earlier start, while it lasts: the picture is then in the system's cache, also offline. */
export function keptUrl(path: string): SignedUrl | undefined {
  const kept = onDisk()[path];
  return kept && kept.expiresAt > Date.now() ? kept : undefined;
}

export function forget(path: string): void {
  const { [path]: _forgotten, ...others } = onDisk();
  writeDisk('urls', others);
}

function keep(path: string, signed: SignedUrl): void {
  const others = Object.entries(onDisk()).filter(([key]) => key !== path);
  writeDisk('urls', Object.fromEntries([...others, [path, signed] as const].slice(-ON_DISK)));
}

function onDisk(): Partial<Record<string, SignedUrl>> {
  return (readDisk('urls') ?? {}) as Partial<Record<string, SignedUrl>>;
}
