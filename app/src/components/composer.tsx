/** Where a picture is asked for. It is ready before anything else, and a press never waits. */

import { useState } from 'react';
import { Platform, Pressable, StyleSheet, TextInput, View } from 'react-native';

import { firstOf, type Model } from '@/features/generations/types';

import { SignButton } from './button';
import { fonts, round, space, useTheme } from './theme';
import { Words } from './words';

interface ComposerProps {
  models: Model[];
  draft: string;
  onDraft: (draft: string) => void;
  /** Without a model while this phone has never seen the list. */
  onGenerate: (model: string | null, prompt: string) => void;
}

const LONGEST_PROMPT = 2000;

export function Composer({ models, draft, onDraft, onGenerate }: ComposerProps) {
  const theme = useTheme();
  const [isFocused, setFocused] = useState(false);
  const [chosen, choose] = useState<string | null>(null);
  const model = models.find(({ id }) => id === chosen) ?? firstOf(models);
  const prompt = draft.trim();

  function generate() {
    if (!prompt) return;
    onGenerate(model?.id ?? null, prompt);
    onDraft('');
  }

  return (
    <View style={styles.place}>
      {models.length > 1 ? <Models models={models} chosen={model} onChoose={choose} /> : null}
      <View
        style={[
          styles.box,
          { backgroundColor: theme.surface, boxShadow: theme.shadow, borderColor: isFocused ? theme.accent : theme.line },
        ]}
      >
        <TextInput
          value={draft}
          onChangeText={onDraft}
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
          isDisabled={!prompt}
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
    <View role="radiogroup" aria-label="Model" style={styles.models}>
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
    </View>
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
  models: { flexDirection: 'row', flexWrap: 'wrap', gap: space.s },
  model: { paddingHorizontal: space.m, paddingVertical: 7, borderRadius: round.m },
});
