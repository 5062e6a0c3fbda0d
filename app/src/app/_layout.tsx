import { QueryClientProvider } from '@tanstack/react-query';
import { type ErrorBoundaryProps, Stack, usePathname } from 'expo-router';
import { StatusBar } from 'expo-status-bar';
import { useEffect } from 'react';
import { StyleSheet, View } from 'react-native';
import { SafeAreaInsetsContext, useSafeAreaInsets } from 'react-native-safe-area-context';

import { DeadEnd } from '@/components/dead-end';
import { KeyboardProvider } from '@/components/keyboard';
import { useTheme } from '@/components/theme';
import { LostNotice, useDeletion, usePush } from '@/features/account';
import { resumeDraft, useLiveUpdates } from '@/features/generations';
import { useBuyer } from '@/features/wallet/use-shop';
import { useKeptFocus } from '@/lib/kept-focus';
import { queryClient } from '@/lib/query-client';
import { keepSignedIn, useSession } from '@/lib/session';
import { keepWarm } from '@/lib/warm';
import { BROKEN, NAME } from '@/texts/app';

export default function RootLayout() {
  return (
    <QueryClientProvider client={queryClient}>
      <KeyboardProvider>
        <App />
      </KeyboardProvider>
    </QueryClientProvider>
  );
}

function App() {
  const theme = useTheme();
  const insets = useSafeAreaInsets();
  const path = usePathname();
  // A page for people without the app: it must not create a user in this browser.
  const isApp = path !== '/delete-account';
  const isLost = useSession().isLost === true && isApp && path !== '/settings';
  useEffect(() => (isApp ? keepSignedIn() : undefined), [isApp]);
  useEffect(() => (isApp ? keepWarm() : undefined), [isApp]);
  useEffect(() => void resumeDraft(), []);
  useLiveUpdates();
  useBuyer();
  useDeletion();
  usePush();
  useKeptFocus();
  return (
    <View role="main" style={styles.app}>
      <StatusBar style="auto" />
      {isLost ? <LostNotice top={insets.top} /> : null}
      <SafeAreaInsetsContext.Provider value={isLost ? { ...insets, top: 0 } : insets}>
        <Stack screenOptions={{ headerShown: false, contentStyle: { backgroundColor: theme.ground }, title: NAME }} />
      </SafeAreaInsetsContext.Provider>
    </View>
  );
}

const styles = StyleSheet.create({ app: { flex: 1 } });

export function ErrorBoundary({ retry }: ErrorBoundaryProps) {
  return (
    <DeadEnd
      title={BROKEN.title}
      text={BROKEN.text}
      label={BROKEN.again}
      onPress={() => void retry()}
    />
  );
}
