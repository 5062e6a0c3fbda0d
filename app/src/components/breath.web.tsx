/** As breath.tsx, in CSS: Reanimated would be half as much again as the rest of the script. */

import { type PropsWithChildren } from 'react';
import { StyleSheet, View } from 'react-native';

import { useReducedMotion } from './motion';

export function Breath({ children }: PropsWithChildren) {
  const isStill = useReducedMotion();
  return (
    <View style={[StyleSheet.absoluteFill, isStill ? null : styles.breath]} aria-hidden>
      {children}
    </View>
  );
}

const styles = StyleSheet.create({
  breath: {
    animationKeyframes: {
      from: { opacity: 1, transform: 'scale(1.05)' },
      to: { opacity: 0.55, transform: 'scale(1.35)' },
    },
    animationDuration: '2.4s',
    animationIterationCount: 'infinite',
    animationDirection: 'alternate',
    animationTimingFunction: 'ease-in-out',
  } as object,
});
