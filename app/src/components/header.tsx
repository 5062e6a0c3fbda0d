/** The top of a page: the back button, and the heading. */

import { useRouter } from 'expo-router';
import { StyleSheet, View } from 'react-native';

import { APP } from '@/texts/app';

import { SignButton } from './button';
import { space, useTheme } from './theme';
import { Words } from './words';

/** If a page was opened by its address, back leads to the gallery. */
export function useGoBack() {
  const router = useRouter();
  return () => (router.canGoBack() ? router.back() : router.replace('/'));
}

export function BackButton({ onPress }: { onPress: () => void }) {
  const theme = useTheme();
  return <SignButton sign="previous" label={APP.back} size={40} ground={theme.raised} colour={theme.ink} onPress={onPress} />;
}

export function Header({ title, hasBack }: { title: string; hasBack: boolean }) {
  const goBack = useGoBack();
  return (
    <View style={styles.header}>
      {hasBack ? <BackButton onPress={goBack} /> : null}
      <Words kind="title" role="heading" aria-level={1}>
        {title}
      </Words>
    </View>
  );
}

const styles = StyleSheet.create({
  header: { flexDirection: 'row', alignItems: 'center', gap: space.m, paddingVertical: space.m },
});
