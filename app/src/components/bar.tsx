/** The actions for the content of the screen: a sign above one word each. */

import { Pressable, StyleSheet, View } from 'react-native';

import { PICTURE } from '@/texts/gallery';

import { Sign, type SignName } from './signs';
import { round, space, useTheme } from './theme';
import { Words } from './words';

export interface BarAction {
  sign: SignName;
  /** The visible word below the sign; part of the name. */
  word: string;
  /** The name for a screen reader. */
  name: string;
  onPress: () => void;
}

export function Bar({ actions }: { actions: BarAction[] }) {
  const theme = useTheme();
  return (
    <View role="toolbar" aria-label={PICTURE.actions} style={styles.bar}>
      {actions.map(({ sign, word, name, onPress }) => (
        <Pressable
          key={sign}
          role="button"
          aria-label={name}
          onPress={onPress}
          style={({ pressed }) => [styles.action, { backgroundColor: pressed ? theme.raised : 'transparent' }]}
        >
          <Sign name={sign} colour={theme.ink} />
          <Words kind="small" style={styles.word}>
            {word}
          </Words>
        </Pressable>
      ))}
    </View>
  );
}

const styles = StyleSheet.create({
  bar: { flexDirection: 'row', flexWrap: 'wrap', justifyContent: 'center', gap: 2 },
  action: { flexGrow: 1, flexBasis: 48, maxWidth: 92, minHeight: 52, alignItems: 'center', justifyContent: 'center', gap: 3, paddingHorizontal: 1, paddingVertical: space.xs, borderRadius: round.s },
  word: { fontSize: 12, lineHeight: 16 },
});
