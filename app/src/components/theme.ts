/** Colours, spaces and shapes.
 * Every text colour has a contrast of at least 4.5 on every ground that it is used on. */

import { Platform, useColorScheme } from 'react-native';

const light = {
  ground: '#FBF7F1',
  surface: '#FFFFFF',
  raised: '#F2EAE0',
  ink: '#1F1812',
  muted: '#6A5C4F',
  line: '#E6DBCD',
  accent: '#C2410C',
  onAccent: '#FFFFFF',
  danger: '#B3261E',
  shadow: '0px 6px 24px rgba(74, 44, 16, 0.12)',
};

const dark: typeof light = {
  ground: '#120E0B',
  surface: '#1D1712',
  raised: '#2A211A',
  ink: '#F7EFE6',
  muted: '#B8A999',
  line: '#372C23',
  accent: '#FF9A4A',
  onAccent: '#21130A',
  danger: '#FF9184',
  shadow: '0px 6px 24px rgba(0, 0, 0, 0.5)',
};

export type Theme = typeof light;

export function useTheme(): Theme {
  return useColorScheme() === 'dark' ? dark : light;
}

export const space = { xs: 4, s: 8, m: 12, l: 16, xl: 24 } as const;
export const round = { s: 12, m: 20, l: 28 } as const;

/** Pixels: the smallest size that a finger hits. */
export const TOUCH = 44;

export const fonts = {
  sans: Platform.select({ web: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif' }),
  serif: Platform.select({
    ios: 'ui-serif',
    android: 'serif',
    web: 'ui-serif, "New York", Georgia, "Noto Serif", serif',
  }),
};
