import { CreditsScreen } from '@/features/wallet/credits-screen';

/** Expo Router gives a route no properties of ours: an `onBuy` of your own goes here. */
export default function Credits() {
  return <CreditsScreen />;
}
