import { CreditsScreen } from '@/features/wallet/credits-screen';

/** Expo Router passes no props of ours to a route: put your own `onBuy` here. */
export default function Credits() {
  return <CreditsScreen />;
}
