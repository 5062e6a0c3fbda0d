import { QueryClientProvider } from '@tanstack/react-query';
import { type ErrorBoundaryProps, Stack } from 'expo-router';
import { StatusBar } from 'expo-status-bar';
import { useEffect } from 'react';
import { StyleSheet, View } from 'react-native';

import { DeadEnd } from '@/components/dead-end';
import { KeyboardProvider } from '@/components/keyboard';
import { useTheme } from '@/components/theme';
import { resumeDraft, useLiveUpdates } from '@/features/generations';
import { useKeptFocus } from '@/lib/kept-focus';
import { queryClient } from '@/lib/query-client';
import { keepSignedIn } from '@/lib/session';
import { keepWarm } from '@/lib/warm';

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
  useEffect(keepSignedIn, []);
  useEffect(keepWarm, []);
  useEffect(() => void resumeDraft(), []);
  useLiveUpdates();
  useKeptFocus();
  return (
    <View role="main" style={styles.app}>
      <StatusBar style="auto" />
      <Stack screenOptions={{ headerShown: false, contentStyle: { backgroundColor: theme.ground }, title: 'Pilotlight' }} />
    </View>
  );
}

const styles = StyleSheet.create({ app: { flex: 1 } });

export function ErrorBoundary({ retry }: ErrorBoundaryProps) {
  return (
    <DeadEnd
      title="Something went wrong"
      text="What you asked for is kept, and goes on."
      label="Try again"
      onPress={() => void retry()}
    />
  );
}
