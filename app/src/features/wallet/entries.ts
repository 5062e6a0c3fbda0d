/** The ledger of a user: the entries that are read, and the words for them. */

import * as v from 'valibot';

import { listOf, maybe } from '@/lib/parse';
import { LEDGER, MEMBERSHIP, SHOP, type UNITS } from '@/texts/wallet';

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

const grants: Partial<Record<string, string>> = LEDGER.grants;
const revokes: Partial<Record<string, string>> = LEDGER.revokes;

/** Return one line for the user. A reason that a backend has set is shown as it is. */
export function lineOf({ kind, amount, owed, reason }: Entry): string {
  switch (kind) {
    case 'grant':
      return grants[reason] ?? reason;
    case 'hold':
      return amount === 0 ? LEDGER.holdIncluded : LEDGER.hold;
    case 'settle':
      return LEDGER.settle;
    case 'refund':
      return reason === 'canceled' ? LEDGER.refundCanceled : LEDGER.refund;
    case 'revoke':
      return owed > 0 ? LEDGER.owed(revokes[reason] ?? reason, owed) : (revokes[reason] ?? reason);
    default:
      return reason;
  }
}

export const signed = (amount: number): string => (amount > 0 ? `+${amount}` : amount < 0 ? `−${-amount}` : '');

const DAYS = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
export const dayOf = (at: string): string => DAYS.format(new Date(at));

/** A later end means never: a lifetime membership ends at the end of the year 9999. */
const NEVER = Date.UTC(9000, 0);

interface Membership {
  isPaid: boolean;
  paidUntil: string | null;
}

export function membershipLine({ isPaid, paidUntil }: Membership): string | null {
  const until = paidUntil ? Date.parse(paidUntil) : 0;
  if (until > NEVER) return MEMBERSHIP.forLife;
  if (paidUntil && until > Date.now()) return MEMBERSHIP.until(dayOf(paidUntil));
  if (isPaid) return MEMBERSHIP.member;
  return paidUntil ? MEMBERSHIP.ended(dayOf(paidUntil)) : null;
}

/** `P3M`: renews every 3 months. */
export function periodLine(period: string | null): string {
  const [, count, unit] = /^P(\d+)([DWMY])$/.exec(period ?? '') ?? [];
  if (count && unit) return SHOP.renewsEvery(Number(count), unit as keyof typeof UNITS);
  return period ? SHOP.renews : SHOP.once;
}
