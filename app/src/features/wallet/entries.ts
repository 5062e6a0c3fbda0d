/** The ledger of a user, as it is read and as it is said. */

import * as v from 'valibot';

import { listOf, maybe } from '@/lib/parse';

const time = v.pipe(v.string(), v.check((text) => Number.isFinite(Date.parse(text))));

const entry = v.object({
  id: v.number(),
  kind: v.string(),
  amount: v.number(),
  owed: v.fallback(v.number(), 0),
  reason: v.string(),
  created_at: time,
  job_id: maybe(v.string()),
});
export const entries = listOf(entry);
export type Entry = v.InferOutput<typeof entry>;

const GRANTS: Record<string, string> = {
  starter: 'Welcome credits',
  purchase: 'Purchase',
  'refund reversed': 'Purchase paid again',
};
const REVOKES: Record<string, string> = { 'purchase refunded': 'Purchase refunded', owed: 'Paid what you owed' };

/** One line for a person. A reason that a backend has chosen is shown as it is. */
export function lineOf({ kind, amount, owed, reason }: Entry): string {
  switch (kind) {
    case 'grant':
      return GRANTS[reason] ?? reason;
    case 'hold':
      return amount === 0 ? 'Asked for, included in your membership' : 'Set aside for what you asked for';
    case 'settle':
      return 'Finished, so the credits are spent';
    case 'refund':
      return reason === 'canceled' ? 'You canceled, so the credits are back' : 'It did not work, so the credits are back';
    case 'revoke':
      return owed > 0 ? `${REVOKES[reason] ?? reason}, ${owed} more owed` : (REVOKES[reason] ?? reason);
    default:
      return reason;
  }
}

export const signed = (amount: number): string => (amount > 0 ? `+${amount}` : amount < 0 ? `−${-amount}` : '');

const DAYS = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
export const dayOf = (at: string): string => DAYS.format(new Date(at));

/** What ends later than this never ends: a lifetime is told as the end of the year 9999. */
const NEVER = Date.UTC(9000, 0);

interface Membership {
  isPaid: boolean;
  paidUntil: string | null;
}

export function membershipLine({ isPaid, paidUntil }: Membership): string | null {
  const until = paidUntil ? Date.parse(paidUntil) : 0;
  if (until > NEVER) return 'You are a member for life.';
  if (paidUntil && until > Date.now()) return `You are a member, paid until ${dayOf(paidUntil)}.`;
  if (isPaid) return 'You are a member.';
  return paidUntil ? `Your membership ended on ${dayOf(paidUntil)}.` : null;
}

const UNITS: Record<string, string> = { D: 'day', W: 'week', M: 'month', Y: 'year' };

/** `P3M`: renews every 3 months. */
export function periodLine(period: string | null): string {
  const [, count = '', unit = ''] = /^P(\d+)([DWMY])$/.exec(period ?? '') ?? [];
  const name = UNITS[unit];
  if (!name) return period ? 'Renews until you cancel it.' : 'Bought once.';
  return `Renews every ${count === '1' ? name : `${count} ${name}s`} until you cancel it in your store.`;
}
