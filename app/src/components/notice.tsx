/** One line of news that a screen reader says, too. */

import { StyleSheet, View } from 'react-native';

import { round, space, useTheme } from './theme';
import { Words } from './words';

export function Notice({ text }: { text: string | null }) {
  const theme = useTheme();
  return (
    <View role="status" aria-live="polite" style={styles.place}>
      {text ? (
        <View style={[styles.pill, { backgroundColor: theme.raised }]}>
          <View style={[styles.dot, { backgroundColor: theme.accent }]} />
          <Words kind="small" style={styles.words}>
            {text}
          </Words>
        </View>
      ) : null}
    </View>
  );
}

const styles = StyleSheet.create({
  place: { paddingHorizontal: space.l, alignItems: 'center' },
  pill: {
    flexDirection: 'row',
    alignItems: 'center',
    gap: space.s,
    paddingHorizontal: space.m,
    paddingVertical: space.s,
    marginBottom: space.s,
    borderRadius: round.m,
  },
  dot: { width: 7, height: 7, borderRadius: 4 },
  words: { flexShrink: 1 },
});
