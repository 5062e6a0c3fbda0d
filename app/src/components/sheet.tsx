/** A panel from below, over the rest of the screen.
 * Escape, the back button and a press beside it close it. */

import type { PropsWithChildren } from 'react';
import { Modal, Pressable, ScrollView, StyleSheet } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';

import { APP } from '@/texts/app';

import { Button } from './button';
import { KeyboardAvoidingView } from './keyboard';
import { useReducedMotion } from './motion';
import { round, space, useTheme } from './theme';
import { Words } from './words';

interface SheetProps extends PropsWithChildren {
  title: string;
  onClose: () => void;
}

export function Sheet({ title, onClose, children }: SheetProps) {
  const theme = useTheme();
  const insets = useSafeAreaInsets();
  const isStill = useReducedMotion();
  return (
    <Modal transparent animationType={isStill ? 'none' : 'fade'} onRequestClose={onClose} aria-label={title} statusBarTranslucent>
      <KeyboardAvoidingView behavior="padding" style={styles.screen}>
        <Pressable style={styles.beside} onPress={onClose} aria-hidden tabIndex={-1} />
        <ScrollView
          keyboardShouldPersistTaps="handled"
          style={[styles.sheet, { backgroundColor: theme.surface }]}
          contentContainerStyle={[styles.content, { paddingBottom: insets.bottom + space.l }]}
        >
          <Words kind="title" role="heading">
            {title}
          </Words>
          {children}
          <Button label={APP.close} onPress={onClose} />
        </ScrollView>
      </KeyboardAvoidingView>
    </Modal>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1, justifyContent: 'flex-end', alignItems: 'center', backgroundColor: 'rgba(10, 6, 3, 0.55)' },
  beside: { ...StyleSheet.absoluteFill },
  sheet: { flexGrow: 0, flexShrink: 1, width: '100%', maxWidth: 560, borderTopLeftRadius: round.l, borderTopRightRadius: round.l },
  content: { padding: space.xl, gap: space.m },
});
