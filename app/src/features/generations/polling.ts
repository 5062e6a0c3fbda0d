/** The interval of polls while Realtime is silent. Pure. */

const QUICK = 2_500;
const SAFETY = 20_000;

/** Milliseconds to the next poll, or false for none. Even a joined channel can miss a message. */
export function pollEvery({ pending, isJoined }: { pending: number; isJoined: boolean }): number | false {
  if (pending === 0) return false;
  return isJoined ? SAFETY : QUICK;
}
