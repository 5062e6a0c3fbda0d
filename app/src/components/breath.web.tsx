/** A slow breath animation by the browser's compositor: its frames cost the app nothing. */

import { StyleSheet, View, type ViewStyle } from 'react-native';

import { useReducedMotion } from './motion';

export function Breath({ paint }: { paint: ViewStyle }) {
  const isStill = useReducedMotion();
  return <View aria-hidden style={[StyleSheet.absoluteFill, paint, isStill ? null : styles.breath]} />;
}

const styles = StyleSheet.create({
  breath: {
    animationKeyframes: { '0%': { opacity: 0.7, transform: 'scale(1)' }, '100%': { opacity: 1, transform: 'scale(1.25)' } },
    animationDuration: '2.4s',
    animationIterationCount: 'infinite',
    animationDirection: 'alternate',
    animationTimingFunction: 'ease-in-out',
  } as object,
});
