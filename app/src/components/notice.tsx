/** One line of news, which a screen reader reads out, and an action for it. */

import { useEffect } from 'react';
import { AccessibilityInfo, Platform, StyleSheet, View } from 'react-native';

import { Button } from './button';
import { round, space, useTheme } from './theme';
import { Words } from './words';

export interface NoticeProps {
  text: string | null;
  action?: { label: string; onPress: () => void } | null;
}

export function Notice({ text, action }: NoticeProps) {
  const theme = useTheme();
  useEffect(() => {
    // iOS has no live regions.
    if (text && Platform.OS === 'ios') AccessibilityInfo.announceForAccessibility(text);
  }, [text]);
  return (
    <View role="status" aria-live="polite" style={styles.place}>
      {text ? (
        <View style={[styles.pill, { backgroundColor: theme.raised }]}>
          <View style={[styles.dot, { backgroundColor: theme.accent }]} />
          <Words kind="small" style={styles.words}>
            {text}
          </Words>
          {action ? <Button label={action.label} kind="primary" isSmall onPress={action.onPress} /> : null}
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
    minHeight: 40,
    paddingLeft: space.m,
    paddingRight: space.m,
    paddingVertical: 4,
    marginBottom: space.s,
    borderRadius: round.m,
  },
  dot: { width: 7, height: 7, borderRadius: 4 },
  words: { flexShrink: 1 },
});
