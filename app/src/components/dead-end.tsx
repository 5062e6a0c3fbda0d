/** A screen that has nothing to show, with a button to go on. */

import { StyleSheet, View } from 'react-native';

import { Button } from './button';
import { space, useTheme } from './theme';
import { Words } from './words';

interface DeadEndProps {
  title: string;
  text: string;
  label: string;
  onPress: () => void;
}

export function DeadEnd({ title, text, label, onPress }: DeadEndProps) {
  const theme = useTheme();
  return (
    <View style={[styles.place, { backgroundColor: theme.ground }]}>
      <Words kind="title" role="heading" aria-level={1} style={styles.centre}>
        {title}
      </Words>
      <Words tone="muted" style={styles.centre}>
        {text}
      </Words>
      <Button label={label} kind="primary" onPress={onPress} />
    </View>
  );
}

const styles = StyleSheet.create({
  place: { flex: 1, alignItems: 'center', justifyContent: 'center', padding: space.xl, gap: space.m },
  centre: { textAlign: 'center', maxWidth: 360 },
});
