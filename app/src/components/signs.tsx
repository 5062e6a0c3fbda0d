/** Signs drawn from bars and frames: the first screen needs no icon font to be complete. */

import { StyleSheet, View, type ViewStyle } from 'react-native';

export type SignName = keyof typeof PARTS;

export function Sign({ name, colour }: { name: SignName; colour: string }) {
  return (
    <View style={styles.place} aria-hidden>
      {PARTS[name].map(({ isFilled, ...part }, index) => (
        <View key={index} style={[styles.part, isFilled === false ? null : { backgroundColor: colour }, { borderColor: colour }, part]} />
      ))}
    </View>
  );
}

type Part = ViewStyle & { isFilled?: boolean };

/** Draw a bar; x and y are measured from the middle of the sign. */
const bar = (width: number, turn: number, x: number, y: number, more: Part = {}): Part => ({
  width,
  height: 2,
  transform: [{ translateX: x }, { translateY: y }, { rotate: `${turn}deg` }],
  ...more,
});
const frame = (width: number, height: number, x: number, y: number, more: Part = {}): Part => ({
  ...{ width, height, borderWidth: 2, isFilled: false, transform: [{ translateX: x }, { translateY: y }] },
  ...more,
});
const tray = frame(16, 8, 0, 5.5, { borderTopWidth: 0, borderRadius: 2 });
const triangle = (x: number): Part => ({
  ...{ width: 0, height: 0, isFilled: false, borderRadius: 0, transform: [{ translateX: x }] },
  ...{ borderTopWidth: 5, borderBottomWidth: 5, borderLeftWidth: 8 },
  ...{ borderTopColor: 'transparent', borderBottomColor: 'transparent' },
});

const PARTS = {
  share: [tray, bar(13, 90, 0, -3), bar(7, -45, -2.2, -7), bar(7, 45, 2.2, -7)],
  save: [tray, bar(12, 90, 0, -3.5), bar(7, 45, -2.2, 0.3), bar(7, -45, 2.2, 0.3)],
  again: [
    frame(15, 15, 0, 0, { borderRadius: 8, borderRightColor: 'transparent', transform: [{ rotate: '-45deg' }] }),
    bar(6, 90, 5.4, -6),
    bar(6, 0, 3.4, -4),
  ],
  start: [frame(18, 15, 0, 0, { borderRadius: 3 }), bar(8, 0, 0, 0), bar(8, 90, 0, 0)],
  animate: [frame(18, 15, 0, 0, { borderRadius: 3 }), triangle(0.5)],
  edit: [bar(13, -45, 1, -2, { height: 4, borderRadius: 2 }), bar(16, 0, 0, 8)],
  more: [-6, 0, 6].map((x) => bar(3.5, 0, x, 0, { height: 3.5 })),
  up: [bar(15, 90, 0, 0), bar(9, -45, -2.6, -4.5), bar(9, 45, 2.6, -4.5)],
  close: [bar(13, 45, 0, 0), bar(13, -45, 0, 0)],
  previous: [bar(11, -45, -1, -3.4), bar(11, 45, -1, 3.4)],
  next: [bar(11, 45, 1, -3.4), bar(11, -45, 1, 3.4)],
  account: [frame(8, 8, 0, -4.5, { borderRadius: 4 }), frame(16, 8, 0, 5, { borderBottomWidth: 0, borderTopLeftRadius: 8, borderTopRightRadius: 8 })],
} satisfies Record<string, Part[]>;

const styles = StyleSheet.create({
  place: { width: 24, height: 24, alignItems: 'center', justifyContent: 'center' },
  part: { position: 'absolute', borderRadius: 2 },
});
