/** The products on sale, and the one purchase in progress. */

import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';

import { useSession } from '@/lib/session';
import { SHOP } from '@/texts/wallet';

import { type Outcome, type Product, type Store, store } from './store';

/** Mounted at the root: tell the store the id of the user. */
export function useBuyer(): void {
  const { userId, isReady } = useSession();
  useEffect(() => {
    if (userId && isReady) store?.become(userId).catch(() => {});
  }, [userId, isReady]);
}

type Action = (shop: Store, userId: string) => Promise<string | null>;

const NEWS_LAST = 5000; // milliseconds

const SAID: Record<Outcome, string | null> = {
  bought: SHOP.bought,
  pending: SHOP.pending,
  canceled: null,
};

export function useShop() {
  const { userId, isReady } = useSession();
  const products = useQuery({
    queryKey: ['products', userId],
    queryFn: () => (store && userId ? store.products(userId) : []),
    enabled: isReady && userId !== null && store !== null,
  });
  const action = useMutation({
    mutationFn: (work: Action) => (store && userId ? work(store, userId) : Promise.resolve(null)),
  });
  const run = (work: Action) => {
    if (!action.isPending) action.mutate(work);
  };
  const news = action.error ? action.error.message : (action.data ?? null);
  const { reset } = action;
  useEffect(() => {
    if (!news) return;
    const timer = setTimeout(reset, NEWS_LAST);
    return () => clearTimeout(timer);
  }, [news, reset]);
  return {
    isOpen: store !== null,
    products: products.data ?? [],
    hasFailed: products.isError,
    isBusy: action.isPending,
    /** The result of the last action, for the user. */
    news,
    buy: (product: Product) => run(async (shop, user) => SAID[await shop.buy(user, product)]),
    restore: () => run(async (shop, user) => (await shop.restore(user), SHOP.restored)),
    manage: () => run(async (shop, user) => (await shop.manage(user), null)),
  };
}
