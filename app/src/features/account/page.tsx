/** A page to read and to fill in: a heading, and sections one below the other. */

import type { PropsWithChildren } from 'react';
import { ScrollView, StyleSheet } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';

import { Header } from '@/components/header';
import { KeyboardAvoidingView } from '@/components/keyboard';
import { space, useTheme } from '@/components/theme';

interface PageProps {
  title: string;
  hasBack?: boolean;
}

export function Page({ title, hasBack = false, children }: PropsWithChildren<PageProps>) {
  const theme = useTheme();
  const insets = useSafeAreaInsets();
  return (
    <KeyboardAvoidingView
      behavior="padding"
      style={[styles.screen, { backgroundColor: theme.ground, paddingTop: insets.top }]}
    >
      <ScrollView
        keyboardShouldPersistTaps="handled"
        contentContainerStyle={[styles.content, { paddingBottom: insets.bottom + space.xl }]}
      >
        <Header title={title} hasBack={hasBack} />
        {children}
      </ScrollView>
    </KeyboardAvoidingView>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1 },
  content: { width: '100%', maxWidth: 640, alignSelf: 'center', paddingHorizontal: space.l, gap: space.l },
});
