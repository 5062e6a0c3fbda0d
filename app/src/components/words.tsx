/** Text in one of the sizes of the app. */

import { Text, type TextProps, type TextStyle } from 'react-native';

import { fonts, type Theme, useTheme } from './theme';

const KINDS = {
  display: { fontFamily: fonts.serif, fontSize: 34, lineHeight: 40, fontWeight: '600', letterSpacing: -0.5 },
  title: { fontFamily: fonts.serif, fontSize: 22, lineHeight: 30, fontWeight: '600', letterSpacing: -0.2 },
  body: { fontFamily: fonts.sans, fontSize: 16, lineHeight: 23 },
  label: { fontFamily: fonts.sans, fontSize: 15, lineHeight: 20, fontWeight: '600' },
  small: { fontFamily: fonts.sans, fontSize: 13, lineHeight: 18 },
} satisfies Record<string, TextStyle>;

interface WordsProps extends TextProps {
  kind?: keyof typeof KINDS;
  tone?: keyof Theme;
}

export function Words({ kind = 'body', tone = 'ink', style, ...props }: WordsProps) {
  const theme = useTheme();
  return <Text {...props} style={[KINDS[kind], { color: theme[tone] }, style]} />;
}
