/** The text of the prompt. It grows with its lines, and Enter sends it. */

import { useLayoutEffect, useRef } from 'react';
import { Platform, StyleSheet, TextInput, type TextInputKeyPressEvent } from 'react-native';

import { COMPOSER } from '@/texts/gallery';

import { fonts, useTheme } from './theme';

interface PromptInputProps {
  value: string;
  longest: number;
  onChange: (value: string) => void;
  onFocus: (isFocused: boolean) => void;
  onSend: () => void;
}

export function PromptInput({ value, longest, onChange, onFocus, onSend }: PromptInputProps) {
  const theme = useTheme();
  const input = useRef<TextInput>(null);
  useLayoutEffect(() => {
    if (Platform.OS === 'web') fitToText(input.current as unknown as HTMLElement);
  }, [value]);
  return (
    <TextInput
      ref={input}
      value={value}
      onChangeText={onChange}
      onFocus={() => onFocus(true)}
      onBlur={() => onFocus(false)}
      onKeyPress={Platform.OS === 'web' ? (event) => sendOnEnter(event, onSend) : undefined}
      onSubmitEditing={onSend}
      submitBehavior="submit"
      returnKeyType="send"
      multiline
      numberOfLines={Platform.OS === 'web' ? 1 : undefined}
      maxLength={longest}
      placeholder={COMPOSER.prompt}
      placeholderTextColor={theme.muted}
      aria-label={COMPOSER.prompt}
      style={[styles.input, { color: theme.ink }]}
    />
  );
}

/** Fit the height to the text:
 * a browser's text area keeps its height, and scrollHeight is never less than that. */
function fitToText(area: HTMLElement): void {
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight}px`;
}

/** Send on Enter. Shift and Enter begin a new line, and an Enter that chooses a word of an input
 * method sends nothing. */
function sendOnEnter(event: TextInputKeyPressEvent, send: () => void): void {
  const key = event.nativeEvent as unknown as KeyboardEvent;
  // Safari ends the composition before the event of the key that ended it, and sets keyCode 229.
  if (key.key !== 'Enter' || key.shiftKey || key.isComposing || key.keyCode === 229) return;
  event.preventDefault();
  send();
}

const styles = StyleSheet.create({
  input: {
    flex: 1,
    minHeight: 40,
    maxHeight: 120,
    paddingVertical: 9,
    fontFamily: fonts.sans,
    fontSize: 16,
    lineHeight: 22,
    // The border of the box shows the focus. A width of 0 is not enough: Chromium draws its own
    // outline at any width.
    ...(Platform.OS === 'web' && { outlineStyle: 'none' as 'solid' }),
  },
});
