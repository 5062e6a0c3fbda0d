import { type Entry, lineOf, membershipLine, periodLine, signed } from './entries';

const entry = (kind: string, fields: Partial<Entry> = {}): Entry => ({
  id: 1, kind, amount: 1, owed: 0, reason: 'x', created_at: '2026-01-01T10:00:00Z', job_id: null, ...fields,
});

test.each([
  [entry('grant', { reason: 'starter' }), 'Welcome credits'],
  [entry('grant', { reason: 'purchase' }), 'Purchase'],
  [entry('grant', { reason: 'Sorry for the outage' }), 'Sorry for the outage'],
  [entry('hold', { amount: -1 }), 'Set aside for what you asked for'],
  [entry('hold', { amount: 0 }), 'Asked for, included in your membership'],
  [entry('settle', { amount: 0 }), 'Finished, so the credits are spent'],
  [entry('refund', { reason: 'canceled' }), 'You canceled, so the credits are back'],
  [entry('refund', { reason: 'timed_out' }), 'It did not work, so the credits are back'],
  [entry('revoke', { reason: 'purchase refunded', owed: 85 }), 'Purchase refunded, 85 more owed'],
  [entry('revoke', { reason: 'owed', amount: -5, owed: -5 }), 'Paid what you owed'],
  [entry('a kind of tomorrow', { reason: 'A gift' }), 'A gift'],
])('%j is said in plain words', (said, words) => expect(lineOf(said)).toBe(words));

test.each([[5, '+5'], [-1, '−1'], [0, '']])('%p is written %p', (amount, text) => expect(signed(amount)).toBe(text));

test.each([
  [{ isPaid: false, paidUntil: null }, null],
  [{ isPaid: true, paidUntil: null }, 'You are a member.'],
  [{ isPaid: true, paidUntil: '2026-01-01T00:00:00Z' }, 'You are a member.'],
  [{ isPaid: true, paidUntil: '9999-12-31T23:59:59+00:00' }, 'You are a member for life.'],
  [{ isPaid: true, paidUntil: '2099-06-15T12:00:00Z' }, 'You are a member, paid until June 15, 2099.'],
  [{ isPaid: false, paidUntil: '2026-06-15T12:00:00Z' }, 'Your membership ended on June 15, 2026.'],
])('%j is said', (account, line) => {
  jest.useFakeTimers({ now: Date.parse('2026-07-01T00:00:00Z') });
  expect(membershipLine(account)).toBe(line);
  jest.useRealTimers();
});

test.each([
  [null, 'Bought once.'],
  ['P1M', 'Renews every month until you cancel it in your store.'],
  ['P3M', 'Renews every 3 months until you cancel it in your store.'],
  ['P1Y2M', 'Renews until you cancel it.'],
])('the period %p is said', (period, line) => expect(periodLine(period)).toBe(line));
