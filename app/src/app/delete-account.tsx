import { Redirect } from 'expo-router';
import { Platform } from 'react-native';

import { DeletionPage } from '@/features/account/deletion-page';

/** A page for the web only: the app has this in its settings. */
export default function DeleteAccount() {
  return Platform.OS === 'web' ? <DeletionPage /> : <Redirect href="/settings" />;
}
