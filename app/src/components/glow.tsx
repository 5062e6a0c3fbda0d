/** The place of an awaited picture:
 * soft colours drawn from its prompt, which pulse until it is there. */

import { Platform, type ViewStyle } from 'react-native';

import { Breath } from './breath';

export const Glow = ({ prompt }: { prompt: string }) => <Breath paint={paintOf(prompt)} />;

const SPOTS = 4;

/** The same prompt gives the same colours, and one letter more gives others. Pure. */
export function paintOf(prompt: string): ViewStyle {
  const dice = diceOf(prompt);
  const hue = dice() * 360;
  // Far enough from the first hue to look like another colour.
  const turn = (dice() < 0.5 ? -1 : 1) * (35 + dice() * 130);
  const light = 38 + dice() * 26;
  const spots = Array.from({ length: SPOTS }, (_, index) => {
    const [x, y] = [Math.round(dice() * 100), Math.round(dice() * 100)];
    const tone = `${Math.round(hue + (turn * (index + 1)) / 3 + 720) % 360}, ${Math.round(60 + dice() * 35)}%`;
    const bright = Math.round(light + (index % 2 ? 22 : -16) + dice() * 12);
    return `radial-gradient(circle at ${x}% ${y}%, hsla(${tone}, ${bright}%, 0.95) 0%, hsla(${tone}, ${bright}%, 0) 65%)`;
  });
  const image = spots.join(', ');
  return {
    backgroundColor: `hsl(${Math.round(hue)}, 55%, ${Math.round(light)}%)`,
    ...(Platform.OS === 'web' ? { backgroundImage: image } : { experimental_backgroundImage: image }),
  } as ViewStyle;
}

/** Return a generator of numbers between 0 and 1, seeded by the text (FNV-1a, then mulberry32). */
function diceOf(text: string): () => number {
  let seed = [...text].reduce((hash, letter) => Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619), 2166136261);
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
