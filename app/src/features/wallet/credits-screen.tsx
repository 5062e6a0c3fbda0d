/** The wallet: the balance, the membership, the products, and every entry of the ledger. */

import { FlatList, StyleSheet, View } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';

import { Button } from '@/components/button';
import { Header } from '@/components/header';
import { Notice } from '@/components/notice';
import { TextLink } from '@/components/text-link';
import { round, space, useTheme } from '@/components/theme';
import { Words } from '@/components/words';
import { useAccount, useModels } from '@/features/generations';
import { ABOUT } from '@/lib/about';
import { ACCOUNT } from '@/texts/account';
import { creditsOf } from '@/texts/app';
import { SHOP, WALLET } from '@/texts/wallet';

import { dayOf, type Entry, lineOf, membershipLine, periodLine, signed } from './entries';
import type { Product } from './store';
import { useEntries } from './use-entries';
import { useShop } from './use-shop';

interface Props {
  /** Your own purchase, such as a page of Stripe, instead of the store's. */
  onBuy?: (product: Product) => void;
}

export function CreditsScreen({ onBuy }: Props) {
  const theme = useTheme();
  const insets = useSafeAreaInsets();
  const shop = useShop();
  const { entries, hasFailed, isLoading, loadOlder } = useEntries();
  return (
    <View style={[styles.screen, { backgroundColor: theme.ground, paddingTop: insets.top }]}>
      <View style={styles.header}>
        <Header title={WALLET.title} hasBack />
      </View>
      <Notice text={shop.news} />
      <FlatList
        data={entries}
        keyExtractor={({ id }) => String(id)}
        renderItem={({ item }) => <Line entry={item} />}
        onEndReached={loadOlder}
        onEndReachedThreshold={0.5}
        ListHeaderComponent={
          <View style={styles.top}>
            <Balance />
            {shop.isOpen ? <Shop shop={shop} onBuy={onBuy ?? shop.buy} /> : null}
            <Words kind="label" role="heading" aria-level={2} style={styles.heading}>
              {WALLET.history}
            </Words>
          </View>
        }
        ListEmptyComponent={
          <Words tone="muted" style={styles.empty}>
            {hasFailed ? WALLET.historyUnreadable : isLoading ? WALLET.reading : WALLET.noHistory}
          </Words>
        }
        style={styles.list}
        contentContainerStyle={[styles.content, { paddingBottom: insets.bottom + space.xl }]}
      />
    </View>
  );
}

function Balance() {
  const theme = useTheme();
  const account = useAccount();
  const included = useModels().flatMap(({ included: isIncluded, title }) => (isIncluded ? [title] : [])).join(', ');
  if (!account) return null;
  const membership = membershipLine(account);
  return (
    <View style={[styles.card, { backgroundColor: theme.raised }]}>
      <Words kind="display" testID="balance">
        {creditsOf(account.credits)}
      </Words>
      {account.owed > 0 ? (
        <Words kind="small" tone="danger">
          {WALLET.owed(account.owed)}
        </Words>
      ) : null}
      {membership ? (
        <Words testID="membership" tone={account.isPaid ? 'ink' : 'muted'}>
          {membership}
        </Words>
      ) : null}
      {included ? (
        <Words kind="small" tone="muted">
          {account.isPaid ? WALLET.included(included) : WALLET.wouldInclude(included)}
        </Words>
      ) : null}
    </View>
  );
}

interface ShopProps {
  shop: ReturnType<typeof useShop>;
  onBuy: (product: Product) => void;
}

function Shop({ shop, onBuy }: ShopProps) {
  return (
    <View style={styles.shop}>
      {shop.hasFailed ? <Words tone="muted">{SHOP.outOfReach}</Words> : null}
      {shop.products.map((product) => (
        <Offer key={product.id} product={product} isBusy={shop.isBusy} onBuy={() => onBuy(product)} />
      ))}
      <View style={styles.links}>
        <Button label={SHOP.restore} isSmall onPress={shop.restore} />
        <Button label={SHOP.manage} isSmall onPress={shop.manage} />
        <TextLink label={ACCOUNT.terms} to={ABOUT.terms} />
        <TextLink label={ACCOUNT.privacy} to={ABOUT.privacy} />
      </View>
    </View>
  );
}

interface OfferProps {
  product: Product;
  isBusy: boolean;
  onBuy: () => void;
}

function Offer({ product, isBusy, onBuy }: OfferProps) {
  const theme = useTheme();
  return (
    <View style={[styles.offer, { borderColor: theme.line, opacity: isBusy ? 0.6 : 1 }]}>
      <View style={styles.words}>
        <Words kind="label">{product.title}</Words>
        <Words kind="small" tone="muted">
          {product.description} {periodLine(product.period)}
        </Words>
      </View>
      <Button label={product.price} of={SHOP.buy(product.title)} kind="primary" onPress={onBuy} />
    </View>
  );
}

function Line({ entry }: { entry: Entry }) {
  const theme = useTheme();
  return (
    <View testID={`entry-${entry.id}`} style={[styles.line, { borderColor: theme.line }]}>
      <View style={styles.words}>
        <Words>{lineOf(entry)}</Words>
        <Words kind="small" tone="muted">
          {dayOf(entry.created_at)}
        </Words>
      </View>
      <Words kind="label">{signed(entry.amount)}</Words>
    </View>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1 },
  header: { width: '100%', maxWidth: 640, alignSelf: 'center', paddingHorizontal: space.l },
  list: { flex: 1 },
  content: { width: '100%', maxWidth: 640, alignSelf: 'center', paddingHorizontal: space.l },
  top: { gap: space.l },
  card: { padding: space.l, borderRadius: round.m, gap: space.xs },
  shop: { gap: space.m },
  offer: {
    flexDirection: 'row',
    alignItems: 'center',
    gap: space.m,
    padding: space.m,
    borderWidth: 1,
    borderRadius: round.m,
  },
  words: { flex: 1, gap: 2 },
  links: { flexDirection: 'row', flexWrap: 'wrap', alignItems: 'center', gap: space.m },
  heading: { paddingTop: space.s },
  empty: { paddingVertical: space.m },
  line: {
    flexDirection: 'row',
    alignItems: 'center',
    gap: space.m,
    paddingVertical: space.m,
    borderBottomWidth: StyleSheet.hairlineWidth,
  },
});
