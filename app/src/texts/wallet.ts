/** Words of the wallet: the balance and the membership, the products, and the ledger. */

import { creditsOf } from './app';

export const WALLET = {
  title: 'Credits',
  owed: (count: number) => `${creditsOf(count)} of a refunded purchase were spent already. The next credits pay for them.`,
  included: (models: string) => `Included, so they cost no credits: ${models}`,
  wouldInclude: (models: string) => `A membership includes: ${models}`,
  history: 'History',
  historyUnreadable: 'The history could not be read. Try again later.',
  reading: 'Reading…',
  noHistory: 'Nothing yet.',
};

export const MEMBERSHIP = {
  forLife: 'You are a member for life.',
  until: (day: string) => `You are a member, paid until ${day}.`,
  member: 'You are a member.',
  ended: (day: string) => `Your membership ended on ${day}.`,
};

export const SHOP = {
  buy: (title: string) => `Buy ${title}`,
  restore: 'Restore purchases',
  manage: 'Manage subscription',
  once: 'Bought once.',
  renews: 'Renews until you cancel it.',
  renewsEvery: (count: number, unit: keyof typeof UNITS) =>
    `Renews every ${count === 1 ? UNITS[unit] : `${count} ${UNITS[unit]}s`} until you cancel it in your store.`,

  bought: 'Thank you. It arrives in a moment.',
  pending: 'This waits for an approval. It arrives when it is given.',
  restored: 'Your earlier purchases are yours again.',
  outOfReach: 'The store is out of reach. Trying again.',
};

/** The abbreviations of ISO 8601. */
export const UNITS = { D: 'day', W: 'week', M: 'month', Y: 'year' };

/** The messages for a call that the store did not perform. */
export const SHOP_ERRORS = {
  notAllowed: 'Purchases are not allowed on this phone.',
  alreadyBought: 'You have bought this already. Tap Restore purchases.',
  ofAnother: 'This belongs to another account of this app.',
  outOfReach: 'The store is out of reach. Try again.',
  underWay: 'This purchase is under way.',
  notOffered: 'It is no longer offered.',
  unknown: 'The store could not do this. Try again later.',
};

/** The products of `make up`. */
export const PREVIEW_SHOP = {
  credits: ['100 credits', 'They stay until you use them.'],
  monthly: ['Membership', '30 credits each month, and the included models.'],
  lifetime: ['Lifetime membership', 'The included models, always.'],
  outOfReach: 'The preview store is out of reach. Try again.',
} as const;

/** Entries of the ledger. */
export const LEDGER = {
  grants: { starter: 'Welcome credits', purchase: 'Purchase', 'refund reversed': 'Purchase paid again' },
  revokes: { 'purchase refunded': 'Purchase refunded', owed: 'Paid what you owed' },
  owed: (line: string, more: number) => `${line}, ${more} more owed`,
  hold: 'Set aside for what you asked for',
  holdIncluded: 'Asked for, included in your membership',
  settle: 'Finished, so the credits are spent',
  refund: 'It did not work, so the credits are back',
  refundCanceled: 'You canceled, so the credits are back',
};
