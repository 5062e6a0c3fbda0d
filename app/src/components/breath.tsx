/** Something that breathes while it is waited for. Moved on the thread of the screen: no frame of it costs the app anything. */

import { type PropsWithChildren } from 'react';
import { StyleSheet } from 'react-native';
import Animated from 'react-native-reanimated';

import { useReducedMotion } from './motion';

export function Breath({ children }: PropsWithChildren) {
  const isStill = useReducedMotion();
  return (
    <Animated.View style={[StyleSheet.absoluteFill, isStill ? null : styles.breath]} aria-hidden>
      {children}
    </Animated.View>
  );
}

const styles = StyleSheet.create({
  breath: {
    animationName: {
      from: { opacity: 1, transform: [{ scale: 1.05 }] },
      to: { opacity: 0.55, transform: [{ scale: 1.35 }] },
    },
    animationDuration: '2.4s',
    animationIterationCount: 'infinite',
    animationDirection: 'alternate',
    animationTimingFunction: 'ease-in-out',
  } as object,
});
