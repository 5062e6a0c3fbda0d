/** Where a picture will be: soft colours that breathe, the same ones for the same prompt. */

import { Image } from 'expo-image';
import { StyleSheet } from 'react-native';

import { Breath } from './breath';

const COLOURS = [
  'LuLT+#=GxVs.1it2smocxER-bGjs',
  'L$LB^3E%%1bH}BxtS4s:s.smfkaz',
  'LfJuh#E+Ekbb}lEkNdWXjboJa#WW',
  'LSM5eI?E5mbb4?10oeS2s.n%f6j[',
  'LpLyynzpELWpHD9tnOWBspofjZjY',
  'LRMZHV_14=ay020Nt6R+t7oeayoe',
];

export function Glow({ prompt }: { prompt: string }) {
  const number = [...prompt].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7);
  return (
    <Breath>
      <Image
        placeholder={{ blurhash: COLOURS[number % COLOURS.length], width: 32, height: 32 }}
        placeholderContentFit="cover"
        style={StyleSheet.absoluteFill}
      />
    </Breath>
  );
}
