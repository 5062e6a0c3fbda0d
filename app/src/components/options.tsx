/** The controls of a model, drawn from its fields. */

import { Image } from 'expo-image';
import type { PropsWithChildren } from 'react';
import { Platform, Pressable, StyleSheet, Switch, TextInput, View } from 'react-native';

import type { Field } from '@/features/generations/fields';
import type { Input } from '@/features/generations/types';
import { APP } from '@/texts/app';
import { COMPOSER } from '@/texts/gallery';

import { Button, SignButton } from './button';
import { fonts, round, space, useTheme } from './theme';
import { Words } from './words';

interface OptionsProps {
  fields: Field[];
  values: Input;
  onValue: (name: string, value: unknown) => void;
}

export function Options({ fields, values, onValue }: OptionsProps) {
  return fields.map((field) => (
    <Control key={field.name} field={field} value={values[field.name]} onValue={(value) => onValue(field.name, value)} />
  ));
}

interface ControlProps {
  field: Field;
  value: unknown;
  onValue: (value: unknown) => void;
}

function Control({ field, value, onValue }: ControlProps) {
  switch (field.kind) {
    case 'text':
      return <Text field={field} value={value} onValue={onValue} />;
    case 'choice':
      return (
        <Row title={field.title} role="radiogroup">
          {field.choices.map((choice) => (
            <Chip key={choice} label={String(choice)} isChosen={choice === (value ?? field.initial)} onPress={() => onValue(choice === value ? undefined : choice)} />
          ))}
        </Row>
      );
    case 'number':
      return <Stepper field={field} value={value} onValue={onValue} />;
    case 'switch':
      return (
        <Row title={field.title}>
          <Switch aria-label={field.title} value={typeof value === 'boolean' ? value : field.initial} onValueChange={onValue} />
        </Row>
      );
    case 'photo':
      return null; // photos have their place beside the prompt
    default:
      return field satisfies never;
  }
}

function Row({ title, role, children }: PropsWithChildren<{ title: string; role?: 'radiogroup' }>) {
  return (
    <View role={role} aria-label={role ? title : undefined} style={styles.row}>
      <Words kind="small" style={styles.title}>
        {title}
      </Words>
      <View style={styles.controls}>{children}</View>
    </View>
  );
}

function Chip({ label, isChosen, onPress }: { label: string; isChosen: boolean; onPress: () => void }) {
  const theme = useTheme();
  return (
    <Pressable
      role="radio"
      aria-checked={isChosen}
      onPress={onPress}
      hitSlop={6}
      style={[styles.chip, { backgroundColor: isChosen ? theme.accent : theme.raised }]}
    >
      <Words kind="small" tone={isChosen ? 'onAccent' : 'ink'}>
        {label}
      </Words>
    </Pressable>
  );
}

function Stepper({ field, value, onValue }: ControlProps & { field: Extract<Field, { kind: 'number' }> }) {
  const now = typeof value === 'number' ? value : field.initial;
  const step = (by: number) => onValue(Math.min(field.most, Math.max(field.least, Number((now + by).toFixed(4)))));
  return (
    <Row title={field.title}>
      <Button label="−" of={APP.of(COMPOSER.less, field.title)} isSmall onPress={() => step(-field.step)} />
      <Words kind="label" aria-live="polite" style={styles.number}>
        {now}
      </Words>
      <Button label="+" of={APP.of(COMPOSER.more, field.title)} isSmall onPress={() => step(field.step)} />
    </Row>
  );
}

function Text({ field, value, onValue }: ControlProps & { field: Extract<Field, { kind: 'text' }> }) {
  const theme = useTheme();
  return (
    <TextInput
      value={typeof value === 'string' ? value : ''}
      onChangeText={onValue}
      maxLength={field.longest}
      placeholder={field.title}
      placeholderTextColor={theme.muted}
      aria-label={field.title}
      style={[styles.text, { color: theme.ink, borderColor: theme.line, backgroundColor: theme.surface }]}
    />
  );
}

interface PhotosProps {
  title: string;
  photos: { id: string; uri: string }[];
  onRemove: (id: string) => void;
}

export function Photos({ title, photos, onRemove }: PhotosProps) {
  if (photos.length === 0) return null;
  return (
    <View style={styles.photos} role="group" aria-label={title}>
      {photos.map(({ id, uri }) => (
        <View key={id}>
          <Image source={{ uri }} style={styles.photo} accessibilityLabel={title} />
          <View style={styles.remove}>
            <SignButton sign="close" label={APP.of(COMPOSER.remove, title)} size={26} ground="rgba(20, 12, 6, 0.7)" colour="#FFF" onPress={() => onRemove(id)} />
          </View>
        </View>
      ))}
    </View>
  );
}

interface PhotoButtonsProps {
  field: Extract<Field, { kind: 'photo' }>;
  count: number;
  onPick: (from: 'library' | 'camera') => void;
}

export function PhotoButtons({ field: { title, most }, count, onPick }: PhotoButtonsProps) {
  if (count >= most) return null;
  return (
    <>
      <Button label={title} of={COMPOSER.fromLibrary} isSmall onPress={() => onPick('library')} />
      {Platform.OS === 'web' ? null : <Button label={COMPOSER.camera} of={title} isSmall onPress={() => onPick('camera')} />}
    </>
  );
}

const styles = StyleSheet.create({
  row: { flexDirection: 'row', alignItems: 'center', justifyContent: 'space-between', gap: space.m, minHeight: 40, paddingHorizontal: space.s },
  title: { flexShrink: 1 },
  controls: { flexDirection: 'row', flexWrap: 'wrap', alignItems: 'center', gap: space.s },
  chip: { paddingHorizontal: space.m, paddingVertical: 7, borderRadius: round.m },
  number: { minWidth: 32, textAlign: 'center' },
  text: { minHeight: 44, paddingHorizontal: space.m, borderRadius: round.s, borderWidth: 1, fontFamily: fonts.sans, fontSize: 16 },
  photos: { flexDirection: 'row', flexWrap: 'wrap', gap: space.m, padding: space.s },
  photo: { width: 56, height: 56, borderRadius: round.s },
  remove: { position: 'absolute', top: -6, right: -6 },
});
