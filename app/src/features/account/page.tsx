/** A page to read and to fill in: its heading, and sections one below the other. */

import { useRouter } from 'expo-router';
import type { PropsWithChildren } from 'react';
import { KeyboardAvoidingView, Platform, ScrollView, StyleSheet, View } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';

import { SignButton } from '@/components/button';
import { space, useTheme } from '@/components/theme';
import { Words } from '@/components/words';
import { APP } from '@/texts/app';

interface PageProps {
  title: string;
  hasBack?: boolean;
}

export function Page({ title, hasBack = false, children }: PropsWithChildren<PageProps>) {
  const theme = useTheme();
  const router = useRouter();
  const insets = useSafeAreaInsets();
  const goBack = () => (router.canGoBack() ? router.back() : router.replace('/'));
  return (
    <KeyboardAvoidingView
      behavior={Platform.OS === 'ios' ? 'padding' : undefined}
      style={[styles.screen, { backgroundColor: theme.ground, paddingTop: insets.top }]}
    >
      <ScrollView
        keyboardShouldPersistTaps="handled"
        contentContainerStyle={[styles.content, { paddingBottom: insets.bottom + space.xl }]}
      >
        <View style={styles.header}>
          {hasBack ? (
            <SignButton sign="back" label={APP.back} size={40} ground={theme.raised} colour={theme.ink} onPress={goBack} />
          ) : null}
          <Words kind="title" role="heading" aria-level={1}>
            {title}
          </Words>
        </View>
        {children}
      </ScrollView>
    </KeyboardAvoidingView>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1 },
  content: { width: '100%', maxWidth: 640, alignSelf: 'center', paddingHorizontal: space.l, gap: space.l },
  header: { flexDirection: 'row', alignItems: 'center', gap: space.m, paddingVertical: space.m },
});
