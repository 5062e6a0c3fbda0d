/** A button: with words, or with a sign and its name. */

import { Pressable, StyleSheet, type StyleProp, type ViewStyle } from 'react-native';

import { APP } from '@/texts/app';

import { Sign, type SignName } from './signs';
import { round, space, type Theme, TOUCH, useTheme } from './theme';
import { Words } from './words';

interface ButtonProps {
  label: string;
  /** The purpose, where several buttons share a label.
   * A screen reader reads it; it is not shown. */
  of?: string;
  onPress: () => void;
  kind?: 'primary' | 'quiet' | 'danger';
  isSmall?: boolean;
  /** For a button that opens something: whether it is open. */
  isOpen?: boolean;
}

const COLOURS = {
  primary: ['accent', 'onAccent'],
  quiet: ['raised', 'ink'],
  danger: ['raised', 'danger'],
} as const satisfies Record<string, [keyof Theme, keyof Theme]>;

export function Button({ label, of, onPress, kind = 'quiet', isSmall = false, isOpen }: ButtonProps) {
  const theme = useTheme();
  const [ground, tone] = COLOURS[kind];
  return (
    <Pressable
      role="button"
      aria-label={of ? APP.of(label, of) : undefined}
      aria-expanded={isOpen}
      onPress={onPress}
      hitSlop={isSmall ? 6 : 0}
      style={({ pressed }) => [
        isSmall ? styles.small : styles.large,
        { backgroundColor: theme[ground], opacity: pressed ? 0.75 : 1 },
      ]}
    >
      <Words kind={isSmall ? 'small' : 'label'} tone={tone} style={styles.words}>
        {label}
      </Words>
    </Pressable>
  );
}

interface SignButtonProps {
  sign: SignName;
  label: string;
  onPress: () => void;
  size?: number;
  ground?: string;
  colour: string;
  isDisabled?: boolean;
  style?: StyleProp<ViewStyle>;
}

export function SignButton({ sign, label, onPress, size = 36, ground, colour, isDisabled = false, style }: SignButtonProps) {
  return (
    <Pressable
      role="button"
      aria-label={label}
      disabled={isDisabled}
      onPress={onPress}
      hitSlop={Math.max(0, (TOUCH - size) / 2)}
      style={({ pressed }) => [
        styles.sign,
        { width: size, height: size, borderRadius: size / 2, backgroundColor: ground },
        { opacity: isDisabled ? 0.35 : pressed ? 0.7 : 1 },
        style,
      ]}
    >
      <Sign name={sign} colour={colour} />
    </Pressable>
  );
}

const styles = StyleSheet.create({
  large: {
    minHeight: TOUCH,
    paddingHorizontal: space.l,
    borderRadius: TOUCH / 2,
    alignItems: 'center',
    justifyContent: 'center',
  },
  small: { minHeight: 32, paddingHorizontal: space.m, borderRadius: round.l, justifyContent: 'center' },
  words: { fontWeight: '600' },
  sign: { alignItems: 'center', justifyContent: 'center' },
});
