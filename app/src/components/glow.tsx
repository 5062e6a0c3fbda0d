/** Where a picture will be: soft colours that breathe, the same ones for the same prompt. */

import { Image } from 'expo-image';
import { useEffect, useState } from 'react';
import { Animated, Easing, Platform, StyleSheet } from 'react-native';

import { useReducedMotion } from './motion';

const COLOURS = [
  'LuLT+#=GxVs.1it2smocxER-bGjs',
  'L$LB^3E%%1bH}BxtS4s:s.smfkaz',
  'LfJuh#E+Ekbb}lEkNdWXjboJa#WW',
  'LSM5eI?E5mbb4?10oeS2s.n%f6j[',
  'LpLyynzpELWpHD9tnOWBspofjZjY',
  'LRMZHV_14=ay020Nt6R+t7oeayoe',
];

const BREATH = {
  duration: 2400, // milliseconds
  easing: Easing.inOut(Easing.ease),
  useNativeDriver: Platform.OS !== 'web',
  isInteraction: false, // lists draw their next rows after all interactions, and this one does not end
};

export function Glow({ prompt }: { prompt: string }) {
  const breath = useBreath();
  const number = [...prompt].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7);
  const style = {
    opacity: breath.interpolate({ inputRange: [0, 1], outputRange: [0.55, 1] }),
    transform: [{ scale: breath.interpolate({ inputRange: [0, 1], outputRange: [1.35, 1.05] }) }],
  };
  return (
    <Animated.View style={[StyleSheet.absoluteFill, style]} aria-hidden>
      <Image
        placeholder={{ blurhash: COLOURS[number % COLOURS.length], width: 32, height: 32 }}
        placeholderContentFit="cover"
        style={StyleSheet.absoluteFill}
      />
    </Animated.View>
  );
}

function useBreath(): Animated.Value {
  const isStill = useReducedMotion();
  const [breath] = useState(() => new Animated.Value(1));
  useEffect(() => {
    if (isStill) return breath.setValue(1);
    const breathe = Animated.loop(
      Animated.sequence([
        Animated.timing(breath, { toValue: 0, ...BREATH }),
        Animated.timing(breath, { toValue: 1, ...BREATH }),
      ]),
    );
    breathe.start();
    return () => breathe.stop();
  }, [breath, isStill]);
  return breath;
}
