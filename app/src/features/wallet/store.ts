/** The interface between the wallet and a store, and the choice of the store for this app. */

import { isRunningInExpoGo } from 'expo';
import { Platform } from 'react-native';

import { isLocal } from '@/lib/is-local';
import { SUPABASE_URL } from '@/lib/supabase';

import { previewStore } from './preview-store';
import { loadRevenueCat, revenueCatStore } from './revenuecat';

export interface Product {
  id: string;
  title: string;
  description: string;
  /** The price as the store writes it, in the buyer's currency. */
  price: string;
  /** A period of ISO 8601, such as `P1M`; null if it is bought once. */
  period: string | null;
}

/** `pending`: another person or the bank must approve; the webhook reports when it is done. */
export type Outcome = 'bought' | 'pending' | 'canceled';

/** Every call names the user it is for.
 * A failed call throws an Error whose message is for the user. */
export interface Store {
  /** Call this at every start and sign-in:
   * a purchase that an earlier start left unfinished then reaches its user. */
  become(userId: string): Promise<void>;
  products(userId: string): Promise<Product[]>;
  buy(userId: string, product: Product): Promise<Outcome>;
  restore(userId: string): Promise<void>;
  manage(userId: string): Promise<void>;
}

/** Return null where nothing can be bought:
 * on the web, in Expo Go, and without a key of RevenueCat. */
function chooseStore(): Store | null {
  const key = Platform.select({
    ios: process.env.EXPO_PUBLIC_REVENUECAT_IOS_KEY,
    android: process.env.EXPO_PUBLIC_REVENUECAT_ANDROID_KEY,
  });
  const sdk = key && !isRunningInExpoGo() ? loadRevenueCat() : null;
  if (key && sdk) return revenueCatStore(sdk, key);
  return isLocal(SUPABASE_URL) ? previewStore : null;
}

export const store = chooseStore();
