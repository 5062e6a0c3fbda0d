/** A store for `make up`: it reports each purchase to the real `purchase_webhook`, like RevenueCat.
 *
 * It costs nothing, and buys nothing elsewhere: only the local stack accepts the publishable key as
 * the store's secret, sells these products, and lets a sandbox count.
 */

import { uuidv7 } from '@/lib/uuid';
import { PUBLISHABLE_KEY, supabase } from '@/lib/supabase';
import { PREVIEW_SHOP } from '@/texts/wallet';

import type { Product, Store } from './store';

const DAY = 86_400_000;

const product = (id: string, [title, description]: readonly [string, string], price: string, period: string | null): Product => ({
  id,
  title,
  description,
  price,
  period,
});
const PRODUCTS = [
  product('preview_100', PREVIEW_SHOP.credits, '$4.99', null),
  product('preview_monthly', PREVIEW_SHOP.monthly, '$6.99', 'P1M'),
  product('preview_lifetime', PREVIEW_SHOP.lifetime, '$99.99', null),
];

export const previewStore: Store = {
  become: async () => {},
  products: async () => PRODUCTS,
  buy: async (userId, { id, period }) => {
    const transaction = uuidv7();
    const first = { original_transaction_id: period ? subscriptionOf(userId) : transaction };
    await tell(userId, period ? 'RENEWAL' : 'NON_RENEWING_PURCHASE', id, {
      ...first,
      transaction_id: transaction,
      expiration_at_ms: period ? Date.now() + 30 * DAY : null,
    });
    return 'bought';
  },
  restore: async () => {},
  /** There is no page of a store to open, so the membership ends. */
  manage: (userId) =>
    tell(userId, 'EXPIRATION', 'preview_monthly', {
      original_transaction_id: subscriptionOf(userId),
      expiration_at_ms: Date.now(),
    }),
};

const subscriptionOf = (userId: string) => `preview-${userId}`;

async function tell(userId: string, type: string, product: string, fields: Record<string, unknown>): Promise<void> {
  const event = {
    id: uuidv7(),
    type,
    event_timestamp_ms: Date.now(),
    app_user_id: userId,
    original_app_user_id: userId,
    aliases: [userId],
    product_id: product,
    period_type: 'NORMAL',
    environment: 'SANDBOX',
    store: 'TEST_STORE',
    ...fields,
  };
  const { error } = await supabase.functions.invoke('purchase_webhook', {
    headers: { Authorization: `Bearer ${PUBLISHABLE_KEY}` },
    body: { api_version: '1.0', event },
  });
  if (error) throw new Error(PREVIEW_SHOP.outOfReach);
}
