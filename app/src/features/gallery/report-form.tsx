/** The form that reports a picture to the operators. */

import { useState } from 'react';
import { Pressable, StyleSheet, TextInput, View } from 'react-native';

import { Button } from '@/components/button';
import { Sheet } from '@/components/sheet';
import { fonts, round, space, useTheme } from '@/components/theme';
import { Words } from '@/components/words';
import { REPORT_REASONS, reportGeneration, type ReportReason } from '@/features/generations';
import { REPORT } from '@/texts/gallery';

import { report } from './use-notice';

const LONGEST_TEXT = 500;

export function ReportForm({ id, onClose }: { id: string; onClose: () => void }) {
  const theme = useTheme();
  const [reason, setReason] = useState<ReportReason | null>(null);
  const [text, setText] = useState('');
  const send = () => {
    if (!reason) return;
    onClose();
    reportGeneration(id, reason, text.trim()).then(
      () => report(REPORT.sent),
      () => report(REPORT.notSent),
    );
  };
  return (
    <Sheet title={REPORT.title} onClose={onClose}>
      <View role="radiogroup" aria-label={REPORT.reason}>
        {REPORT_REASONS.map((known) => (
          <Pressable key={known} role="radio" aria-checked={known === reason} onPress={() => setReason(known)} style={styles.reason}>
            <View style={[styles.ring, { borderColor: known === reason ? theme.accent : theme.muted }]}>
              {known === reason ? <View style={[styles.point, { backgroundColor: theme.accent }]} /> : null}
            </View>
            <Words>{REPORT.reasons[known]}</Words>
          </Pressable>
        ))}
      </View>
      <TextInput
        value={text}
        onChangeText={setText}
        multiline
        maxLength={LONGEST_TEXT}
        placeholder={REPORT.inYourWords}
        placeholderTextColor={theme.muted}
        aria-label={REPORT.inYourWords}
        style={[styles.text, { color: theme.ink, borderColor: theme.line, backgroundColor: theme.ground }]}
      />
      {reason ? <Button label={REPORT.send} kind="primary" onPress={send} /> : null}
    </Sheet>
  );
}

const styles = StyleSheet.create({
  reason: { minHeight: 44, flexDirection: 'row', alignItems: 'center', gap: space.m },
  ring: { width: 20, height: 20, borderRadius: 10, borderWidth: 2, alignItems: 'center', justifyContent: 'center' },
  point: { width: 10, height: 10, borderRadius: 5 },
  text: { minHeight: 88, padding: space.m, borderRadius: round.s, borderWidth: 1, fontFamily: fonts.sans, fontSize: 16 },
});
