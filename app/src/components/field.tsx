/** A text field of one line, below its name. */

import { StyleSheet, TextInput, type TextInputProps, View } from 'react-native';

import { fonts, round, space, TOUCH, useTheme } from './theme';
import { Words } from './words';

interface FieldProps extends TextInputProps {
  label: string;
}

export function Field({ label, ...input }: FieldProps) {
  const theme = useTheme();
  return (
    <View style={styles.place}>
      <Words kind="small" tone="muted" aria-hidden>
        {label}
      </Words>
      <TextInput
        aria-label={label}
        autoCapitalize="none"
        autoCorrect={false}
        {...input}
        style={[styles.input, { color: theme.ink, backgroundColor: theme.ground, borderColor: theme.line }]}
      />
    </View>
  );
}

const styles = StyleSheet.create({
  place: { gap: space.xs },
  input: {
    minHeight: TOUCH,
    paddingHorizontal: space.m,
    borderWidth: 1,
    borderRadius: round.s,
    fontFamily: fonts.sans,
    fontSize: 16,
  },
});
