/** RevenueCat, by react-native-purchases 10.
 *
 * The package is an adopter's choice and no dependency of this app: it adds the store's billing to
 * every build, and its web half to every bundle. Once it is installed, this module finds it.
 */

import { Linking, Platform } from 'react-native';

import { SHOP_ERRORS } from '@/texts/wallet';

import type { Outcome, Product, Store } from './store';

/** The part of the SDK that this app uses. */
export interface RevenueCat {
  isConfigured(): Promise<boolean>;
  configure(options: { apiKey: string; appUserID: string }): void;
  logIn(userId: string): Promise<unknown>;
  getOfferings(): Promise<{ current: { availablePackages: Package[] } | null }>;
  purchasePackage(chosen: Package): Promise<unknown>;
  restorePurchases(): Promise<unknown>;
  getCustomerInfo(): Promise<{ managementURL: string | null }>;
}

export interface Package {
  product: {
    identifier: string;
    title: string;
    description: string;
    priceString: string;
    subscriptionPeriod: string | null;
  };
}

/** Return null if the package is not installed. Metro allows a missing module in a try block. */
export function loadRevenueCat(): RevenueCat | null {
  try {
    // An import of a missing module fails the build.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require('react-native-purchases').default;
  } catch {
    return null;
  }
}

const OUTCOMES: Record<string, Outcome> = { '1': 'canceled', '20': 'pending' };
const ERRORS: Record<string, string> = {
  '3': SHOP_ERRORS.notAllowed,
  '6': SHOP_ERRORS.alreadyBought,
  '7': SHOP_ERRORS.ofAnother,
  '10': SHOP_ERRORS.outOfReach,
  '15': SHOP_ERRORS.underWay,
};
const MANAGE_AT = Platform.select({
  android: 'https://play.google.com/store/account/subscriptions',
  default: 'https://apps.apple.com/account/subscriptions',
});

export function revenueCatStore(sdk: RevenueCat, apiKey: string): Store {
  let turn: Promise<unknown> = Promise.resolve();
  let current: string | null = null;

  /** Set the buyer. Never call logOut, which creates an anonymous customer.
   * Changes run one at a time: the last one decides who buys. */
  function become(userId: string): Promise<void> {
    const changed = turn.then(async () => {
      if (current === userId) return;
      if (await sdk.isConfigured()) await sdk.logIn(userId);
      else sdk.configure({ apiKey, appUserID: userId });
      current = userId;
    });
    turn = changed.catch(() => {});
    return changed;
  }

  async function as<T>(userId: string, call: () => Promise<T>): Promise<T> {
    try {
      await become(userId);
      return await call();
    } catch (error) {
      throw new StoreError(error);
    }
  }

  const packages = async () => (await sdk.getOfferings()).current?.availablePackages ?? [];

  return {
    become,
    products: (userId) => as(userId, async () => (await packages()).map(({ product }) => readProduct(product))),
    buy: (userId, { id }) =>
      as(userId, async (): Promise<Outcome> => {
        const chosen = (await packages()).find(({ product }) => product.identifier === id);
        if (!chosen) throw new Error(SHOP_ERRORS.notOffered);
        await sdk.purchasePackage(chosen);
        return 'bought';
      }).catch((error: StoreError) => {
        const outcome = OUTCOMES[error.code];
        if (outcome) return outcome;
        throw error;
      }),
    restore: (userId) => as(userId, async () => void (await sdk.restorePurchases())),
    manage: (userId) =>
      as(userId, async () => {
        const { managementURL } = await sdk.getCustomerInfo();
        await Linking.openURL(managementURL ?? MANAGE_AT);
      }),
  };
}

class StoreError extends Error {
  readonly code: string;

  constructor(cause: unknown) {
    const code = String((cause as { code?: unknown } | null)?.code);
    super(ERRORS[code] ?? SHOP_ERRORS.unknown, { cause });
    this.code = code;
  }
}

const readProduct = (product: Package['product']): Product => ({
  id: product.identifier,
  title: product.title,
  description: product.description,
  price: product.priceString,
  period: product.subscriptionPeriod,
});
