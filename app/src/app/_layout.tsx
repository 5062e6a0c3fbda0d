import { QueryClientProvider } from '@tanstack/react-query';
import { Stack } from 'expo-router';
import { StatusBar } from 'expo-status-bar';
import { useEffect } from 'react';

import { useTheme } from '@/components/theme';
import { useLiveUpdates } from '@/features/generations';
import { useBuyer } from '@/features/wallet/use-shop';
import { queryClient } from '@/lib/query-client';
import { keepSignedIn } from '@/lib/session';
import { keepWarm } from '@/lib/warm';

export { ErrorBoundary } from 'expo-router';

export default function RootLayout() {
  return (
    <QueryClientProvider client={queryClient}>
      <App />
    </QueryClientProvider>
  );
}

function App() {
  const theme = useTheme();
  useEffect(keepSignedIn, []);
  useEffect(keepWarm, []);
  useLiveUpdates();
  useBuyer();
  return (
    <>
      <StatusBar style="auto" />
      <Stack screenOptions={{ headerShown: false, contentStyle: { backgroundColor: theme.ground }, title: 'Pilotlight' }} />
    </>
  );
}
