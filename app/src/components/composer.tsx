/** Where a picture is asked for. It is ready before anything else, and a press never waits. */

import { useState } from 'react';
import { Platform, Pressable, ScrollView, StyleSheet, TextInput, View } from 'react-native';

import { type Draft, withoutPhoto } from '@/features/generations/draft';
import { fieldsOf, inputOf, isComplete } from '@/features/generations/fields';
import { firstOf, type Input, type Model } from '@/features/generations/types';

import { Button, SignButton } from './button';
import { Options, Photos } from './options';
import { fonts, round, space, useTheme } from './theme';
import { Words } from './words';

interface ComposerProps {
  models: Model[];
  draft: Draft;
  onDraft: (draft: Draft) => void;
  onPick: (field: string, from: 'library' | 'camera') => void;
  /** Without a model while this phone has never seen the list. */
  onGenerate: (model: string | null, input: Input) => void;
}

const LONGEST_PROMPT = 2000;

export function Composer({ models, draft, onDraft, onPick, onGenerate }: ComposerProps) {
  const theme = useTheme();
  const [isFocused, setFocused] = useState(false);
  const [isOpen, setOpen] = useState(false);
  const model = models.find(({ id }) => id === draft.model) ?? firstOf(models);
  const fields = fieldsOf(model);
  const input = inputOf(fields, draft.prompt.trim(), draft.values);
  const canGenerate = isComplete(fields, input) && Object.keys(input).length > 0 && input.prompt !== '';
  const more = fields.filter(({ name, kind }) => name !== 'prompt' && kind !== 'photo');

  const setValue = (name: string, value: unknown) => onDraft({ ...draft, values: { ...draft.values, [name]: value } });
  function generate() {
    if (!canGenerate) return;
    onGenerate(model?.id ?? null, input);
    onDraft({ ...draft, prompt: '', values: {}, photos: {} });
  }

  return (
    <View style={styles.place}>
      {models.length > 1 ? (
        <Models models={models} chosen={model} onChoose={(id) => onDraft({ ...draft, model: id })} />
      ) : null}
      {isOpen && more.length > 0 ? (
        <View style={[styles.sheet, { backgroundColor: theme.surface, borderColor: theme.line }]}>
          <Options fields={more} values={draft.values} onValue={setValue} />
        </View>
      ) : null}
      <View style={styles.beside}>
        {fields.map((field) =>
          field.kind === 'photo' ? (
            <Photos
              key={field.name}
              field={field}
              photos={draft.photos[field.name] ?? []}
              onPick={(from) => onPick(field.name, from)}
              onRemove={(id) => onDraft(withoutPhoto(draft, field.name, id))}
            />
          ) : null,
        )}
        {more.length > 0 ? (
          <Button label={isOpen ? 'Less' : 'More'} of="Options of the model" isSmall onPress={() => setOpen(!isOpen)} />
        ) : null}
      </View>
      <View
        style={[
          styles.box,
          { backgroundColor: theme.surface, boxShadow: theme.shadow, borderColor: isFocused ? theme.accent : theme.line },
        ]}
      >
        <TextInput
          value={draft.prompt}
          onChangeText={(prompt) => onDraft({ ...draft, prompt })}
          onFocus={() => setFocused(true)}
          onBlur={() => setFocused(false)}
          onSubmitEditing={generate}
          submitBehavior="submit"
          returnKeyType="send"
          multiline
          numberOfLines={Platform.OS === 'web' ? 1 : undefined}
          maxLength={LONGEST_PROMPT}
          placeholder="Describe a picture"
          placeholderTextColor={theme.muted}
          aria-label="Describe a picture"
          style={[styles.input, { color: theme.ink }]}
        />
        <SignButton
          sign="up"
          label={model ? `Generate, ${creditsOf(model.cost)}` : 'Generate'}
          size={40}
          ground={theme.accent}
          colour={theme.onAccent}
          isDisabled={!canGenerate}
          onPress={generate}
        />
      </View>
    </View>
  );
}

export const creditsOf = (count: number) => (count === 1 ? '1 credit' : `${count} credits`);

interface ModelsProps {
  models: Model[];
  chosen: Model | undefined;
  onChoose: (id: string) => void;
}

function Models({ models, chosen, onChoose }: ModelsProps) {
  const theme = useTheme();
  return (
    <ScrollView
      horizontal
      role="radiogroup"
      aria-label="Model"
      showsHorizontalScrollIndicator={false}
      keyboardShouldPersistTaps="handled"
      style={styles.models}
      contentContainerStyle={styles.row}
    >
      {models.map(({ id, title, cost }) => {
        const isChosen = id === chosen?.id;
        return (
          <Pressable
            key={id}
            role="radio"
            aria-checked={isChosen}
            onPress={() => onChoose(id)}
            hitSlop={6}
            style={[styles.model, { backgroundColor: isChosen ? theme.accent : theme.raised }]}
          >
            <Words kind="small" tone={isChosen ? 'onAccent' : 'ink'}>
              {title} · {creditsOf(cost)}
            </Words>
          </Pressable>
        );
      })}
    </ScrollView>
  );
}

const styles = StyleSheet.create({
  place: { width: '100%', maxWidth: 720, alignSelf: 'center', paddingHorizontal: space.m, gap: space.s },
  box: {
    flexDirection: 'row',
    alignItems: 'flex-end',
    gap: space.s,
    padding: 6,
    paddingLeft: space.l,
    borderRadius: round.l,
    borderWidth: 1,
  },
  input: {
    flex: 1,
    minHeight: 40,
    maxHeight: 120,
    paddingVertical: 9,
    fontFamily: fonts.sans,
    fontSize: 16,
    lineHeight: 22,
    outlineWidth: 0,
  },
  sheet: { padding: space.m, gap: space.s, borderRadius: round.m, borderWidth: 1 },
  beside: { flexDirection: 'row', flexWrap: 'wrap', alignItems: 'center', gap: space.s },
  models: { flexGrow: 0 },
  row: { gap: space.s },
  model: { paddingHorizontal: space.m, paddingVertical: 7, borderRadius: round.m },
});
