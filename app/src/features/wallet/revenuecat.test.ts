import { Linking } from 'react-native';

import { loadRevenueCat, type RevenueCat, revenueCatStore } from './revenuecat';
import type { Product } from './store';

/** The answers of the native module, by the types of react-native-purchases 10.10.2. */
const mockSdk = {
  isConfigured: jest.fn(async (): Promise<boolean> => mockSdk.configure.mock.calls.length > 0),
  configure: jest.fn(),
  logIn: jest.fn(async () => ({ created: false })),
  getOfferings: jest.fn(async () => ({ current: { availablePackages: [monthly] } })),
  purchasePackage: jest.fn(async () => ({ productIdentifier: 'pro_monthly' })),
  restorePurchases: jest.fn(async () => ({})),
  getCustomerInfo: jest.fn(async (): Promise<{ managementURL: string | null }> => ({ managementURL: null })),
} satisfies RevenueCat;
jest.mock('react-native-purchases', () => ({ default: mockSdk }), { virtual: true });

const monthly = {
  identifier: '$rc_monthly',
  product: { identifier: 'pro_monthly', title: 'Pro', description: 'All of it.', priceString: '6,99 €', subscriptionPeriod: 'P1M' },
};
const product: Product = { id: 'pro_monthly', title: 'Pro', description: 'All of it.', price: '6,99 €', period: 'P1M' };

function makeStore() {
  const sdk = loadRevenueCat();
  if (!sdk) throw new Error('the package is there in this test');
  return revenueCatStore(sdk, 'appl_key');
}

beforeEach(() => jest.clearAllMocks());

test('what is offered is shown with the price of the store', async () => {
  expect(await makeStore().products('a')).toEqual([product]);
  mockSdk.getOfferings.mockResolvedValueOnce({ current: null } as never);
  expect(await makeStore().products('a')).toEqual([]);
});

test('the buyer is the user who is signed in, and is never logged out', async () => {
  const store = makeStore();
  await Promise.all([store.become('a'), store.products('a')]);
  expect(mockSdk.configure.mock.calls).toEqual([[{ apiKey: 'appl_key', appUserID: 'a' }]]);
  mockSdk.logIn.mockRejectedValueOnce({ code: '10' });
  await expect(store.buy('b', product)).rejects.toThrow('The store is out of reach. Try again.');
  expect(mockSdk.purchasePackage).not.toHaveBeenCalled();
  expect(await store.buy('b', product)).toBe('bought');
  expect(mockSdk.logIn.mock.calls).toEqual([['b'], ['b']]);
  expect(mockSdk.purchasePackage.mock.calls).toEqual([[monthly]]);
});

test.each([
  ['1', 'canceled'],
  ['20', 'pending'],
])('an error with code %s is the outcome %s', async (code, outcome) => {
  mockSdk.purchasePackage.mockRejectedValueOnce(Object.assign(new Error('store'), { code }));
  expect(await makeStore().buy('a', product)).toBe(outcome);
});

test.each([
  [{ code: '6' }, /Restore purchases/],
  [{ code: '99', message: 'SKErrorDomain 0' }, /could not do this/],
  [null, /could not do this/],
])('the error %j is said in words', async (error, words) => {
  mockSdk.purchasePackage.mockRejectedValueOnce(error);
  await expect(makeStore().buy('a', product)).rejects.toThrow(words);
});

test('the page of the store is opened, of its own or the usual one', async () => {
  const open = jest.spyOn(Linking, 'openURL').mockResolvedValue(undefined);
  await makeStore().manage('a');
  mockSdk.getCustomerInfo.mockResolvedValueOnce({ managementURL: 'https://store.example/mine' });
  await makeStore().manage('a');
  expect(open.mock.calls).toEqual([['https://apps.apple.com/account/subscriptions'], ['https://store.example/mine']]);
});
