/** What is wrong with a picture, for the operators. */

import { useState } from 'react';
import { Pressable, StyleSheet, TextInput, View } from 'react-native';

import { Button } from '@/components/button';
import { Sheet } from '@/components/sheet';
import { fonts, round, space, useTheme } from '@/components/theme';
import { Words } from '@/components/words';
import { REPORT_REASONS, reportGeneration, type ReportReason } from '@/features/generations';

import { report } from './use-notice';

const LONGEST_TEXT = 500;

const WORDS: Record<ReportReason, string> = {
  sexual: 'Sexual',
  violent: 'Violent',
  hateful: 'Hateful',
  real_person: 'Shows a real person',
  copyright: 'Violates a copyright',
  other: 'Something else',
};

export function ReportForm({ id, onClose }: { id: string; onClose: () => void }) {
  const theme = useTheme();
  const [reason, setReason] = useState<ReportReason | null>(null);
  const [text, setText] = useState('');
  const send = () => {
    if (!reason) return;
    onClose();
    reportGeneration(id, reason, text.trim()).then(
      () => report('Thank you. We will look at it.'),
      () => report('The report could not be sent. Try again in a moment.'),
    );
  };
  return (
    <Sheet title="What is wrong with it?" onClose={onClose}>
      <View role="radiogroup" aria-label="Reason">
        {REPORT_REASONS.map((known) => (
          <Pressable key={known} role="radio" aria-checked={known === reason} onPress={() => setReason(known)} style={styles.reason}>
            <View style={[styles.ring, { borderColor: known === reason ? theme.accent : theme.muted }]}>
              {known === reason ? <View style={[styles.point, { backgroundColor: theme.accent }]} /> : null}
            </View>
            <Words>{WORDS[known]}</Words>
          </Pressable>
        ))}
      </View>
      <TextInput
        value={text}
        onChangeText={setText}
        multiline
        maxLength={LONGEST_TEXT}
        placeholder="In your own words, if you like"
        placeholderTextColor={theme.muted}
        aria-label="In your own words, if you like"
        style={[styles.text, { color: theme.ink, borderColor: theme.line, backgroundColor: theme.ground }]}
      />
      {reason ? <Button label="Send report" kind="primary" onPress={send} /> : null}
    </Sheet>
  );
}

const styles = StyleSheet.create({
  reason: { minHeight: 44, flexDirection: 'row', alignItems: 'center', gap: space.m },
  ring: { width: 20, height: 20, borderRadius: 10, borderWidth: 2, alignItems: 'center', justifyContent: 'center' },
  point: { width: 10, height: 10, borderRadius: 5 },
  text: { minHeight: 88, padding: space.m, borderRadius: round.s, borderWidth: 1, fontFamily: fonts.sans, fontSize: 16 },
});
