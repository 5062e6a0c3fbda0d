/** The two steps of a code by e-mail.
 * A sent code is remembered: a phone may end the app while its user reads the mail. */

import { useState } from 'react';
import * as v from 'valibot';

import { eraseDisk, keysOnDisk, readDisk, writeDisk } from '@/lib/disk';

import { type Auth, enterCode, type Purpose, sendCode } from './codes';

const VALID_FOR = 3_600_000; // milliseconds, as in supabase/config.toml
const sent = v.object({ email: v.string(), at: v.number() });

interface Progress {
  email: string;
  isSent: boolean;
  isBusy: boolean;
  reason: string | null;
}

const KEY = 'code.';

/** Forget the sent codes: the next user of this phone must not see their addresses. */
export const forgetCodes = () => keysOnDisk(KEY).forEach(eraseDisk);

export function useCode(auth: Auth, purpose: Purpose, address = '', onDone: () => void = () => {}) {
  const key = KEY + purpose;
  const [progress, setProgress] = useState<Progress>(() => {
    const known = readDisk(key, sent);
    const isSent = known !== null && Date.now() - known.at < VALID_FOR && (address === '' || address === known.email);
    return { email: isSent ? known.email : address, isSent, isBusy: false, reason: null };
  });

  async function attempt(work: () => Promise<string | null>, changes: Partial<Progress>): Promise<boolean> {
    if (progress.isBusy) return false;
    setProgress((now) => ({ ...now, ...changes, isBusy: true, reason: null }));
    const reason = await work().catch(() => 'unknown');
    setProgress((now) => ({ ...now, isBusy: false, reason }));
    return reason === null;
  }

  async function send(typed: string): Promise<void> {
    const email = typed.trim();
    if (email === '' || !(await attempt(() => sendCode(auth, purpose, email), { email }))) return;
    writeDisk(key, { email, at: Date.now() });
    setProgress((now) => ({ ...now, isSent: true }));
  }

  async function enter(typed: string): Promise<void> {
    const code = typed.replace(/\s/g, '');
    if (code === '' || !(await attempt(() => enterCode(auth, purpose, progress.email, code), {}))) return;
    eraseDisk(key);
    onDone();
  }

  function startOver(): void {
    eraseDisk(key);
    setProgress((now) => ({ ...now, isSent: false, reason: null }));
  }

  return { ...progress, send, enter, startOver };
}
