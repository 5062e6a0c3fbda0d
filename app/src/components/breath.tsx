/** A slow breath animation on the UI thread: its frames cost the app nothing. */

import { StyleSheet, type ViewStyle } from 'react-native';
import Animated from 'react-native-reanimated';

import { useReducedMotion } from './motion';

export function Breath({ paint }: { paint: ViewStyle }) {
  const isStill = useReducedMotion();
  return <Animated.View aria-hidden style={[StyleSheet.absoluteFill, paint, isStill ? null : styles.breath]} />;
}

const styles = StyleSheet.create({
  breath: {
    animationName: { from: { opacity: 0.7, transform: [{ scale: 1 }] }, to: { opacity: 1, transform: [{ scale: 1.25 }] } },
    animationDuration: '2.4s',
    animationIterationCount: 'infinite',
    animationDirection: 'alternate',
    animationTimingFunction: 'ease-in-out',
  } as object,
});
