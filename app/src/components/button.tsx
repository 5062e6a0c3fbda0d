/** Something to press: with words, or with a sign and its name. */

import { Pressable, StyleSheet, View, type ViewStyle } from 'react-native';

import { APP } from '@/texts/app';

import { round, space, type Theme, TOUCH, useTheme } from './theme';
import { Words } from './words';

interface ButtonProps {
  label: string;
  /** The purpose, where several buttons have one label; a screen reader says it, and it is not shown. */
  of?: string;
  onPress: () => void;
  kind?: 'primary' | 'quiet' | 'danger';
  isSmall?: boolean;
  /** Of a button that opens something. */
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
  sign: 'up' | 'back' | 'close';
  label: string;
  onPress: () => void;
  size?: number;
  ground?: string;
  colour: string;
  isDisabled?: boolean;
}

export function SignButton({ sign, label, onPress, size = 36, ground, colour, isDisabled = false }: SignButtonProps) {
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
      ]}
    >
      {BARS[sign].map((bar, index) => (
        <View key={index} style={[styles.bar, bar, { backgroundColor: colour }]} />
      ))}
    </Pressable>
  );
}

// Signs are drawn from bars: no icon font has to arrive before the first screen is complete.
const bar = (width: number, turn: number, x: number, y: number): ViewStyle => ({
  width,
  transform: [{ translateX: x }, { translateY: y }, { rotate: `${turn}deg` }],
});
const BARS = {
  up: [bar(15, 90, 0, 0), bar(9, -45, -2.6, -4.5), bar(9, 45, 2.6, -4.5)],
  back: [bar(11, -45, -1, -3.2), bar(11, 45, -1, 3.2)],
  close: [bar(13, 45, 0, 0), bar(13, -45, 0, 0)],
};

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
  bar: { position: 'absolute', height: 2.25, borderRadius: 2 },
});
