/** A part of a page, under its heading. */

import type { PropsWithChildren } from 'react';
import { StyleSheet, View } from 'react-native';

import { round, space, useTheme } from '@/components/theme';
import { Words } from '@/components/words';

export function Section({ title, children }: PropsWithChildren<{ title: string }>) {
  const theme = useTheme();
  return (
    <View style={[styles.section, { backgroundColor: theme.surface, borderColor: theme.line }]}>
      <Words kind="title" role="heading" aria-level={2}>
        {title}
      </Words>
      {children}
    </View>
  );
}

const styles = StyleSheet.create({
  section: { padding: space.l, gap: space.m, borderWidth: 1, borderRadius: round.m },
});
