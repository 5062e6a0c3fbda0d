/** The form that requests a picture. It is ready before anything else, and a press never waits. */

import { type ReactNode, useState } from 'react';
import { ScrollView, StyleSheet, useWindowDimensions, View } from 'react-native';

import { type Draft, withModel, withoutPhoto } from '@/features/generations/draft';
import { fieldsOf, inputOf, isComplete, LONGEST_TEXT } from '@/features/generations/fields';
import { firstOf, type Input, type Model } from '@/features/generations/types';
import { COMPOSER } from '@/texts/gallery';

import { Button, SignButton } from './button';
import { Models } from './models';
import { Options, PhotoButtons, Photos } from './options';
import { PromptInput } from './prompt-input';
import { round, space, useTheme } from './theme';
import { Words } from './words';

interface ComposerProps {
  models: Model[];
  draft: Draft;
  onDraft: (draft: Draft) => void;
  onPick: (field: string, from: 'library' | 'camera') => void;
  /** Called with null while this phone has never loaded the list of models. */
  onGenerate: (model: string | null, input: Input) => void;
}

/** Pixels. */
const SHORT = 420;

export function Composer({ models, draft, onDraft, onPick, onGenerate }: ComposerProps) {
  const theme = useTheme();
  const [isFocused, setFocused] = useState(false);
  const [isInUse, setInUse] = useState(false);
  const [open, setOpen] = useState<'models' | 'options' | null>(null);
  const model = models.find(({ id }) => id === draft.model) ?? firstOf(models);
  const fields = fieldsOf(model);
  const prompt = fields.find(({ name, kind }) => name === 'prompt' && kind === 'text');
  // A model whose fields are not known yet takes a prompt, as all models do.
  const hasPrompt = prompt !== undefined || fields.length === 0;
  const photoFields = fields.filter((field) => field.kind === 'photo');
  const more = fields.filter((field) => field !== prompt && field.kind !== 'photo');
  const input = inputOf(fields, draft.prompt.trim(), draft.values);
  const canGenerate = isComplete(fields, input);

  // In a window zoomed to 400 %, or on a phone on its side, the pictures have the room until the
  // user begins a prompt.
  const hasTools = useWindowDimensions().height > SHORT || isInUse || !hasPrompt;

  const toggle = (panel: 'models' | 'options') => setOpen(open === panel ? null : panel);
  const setValue = (name: string, value: unknown) => onDraft({ ...draft, values: { ...draft.values, [name]: value } });
  function choose(chosen: Model) {
    onDraft(withModel(draft, chosen));
    setOpen(null);
  }
  function generate() {
    if (!canGenerate) return;
    onGenerate(model?.id ?? null, input);
    // The options stay for the next prompt. A photo is for one prompt only.
    const options = Object.entries(draft.values).filter(([name]) => more.some((field) => field.name === name));
    onDraft({ ...draft, prompt: hasPrompt ? '' : draft.prompt, values: Object.fromEntries(options), photos: {} });
    setOpen(null);
    setInUse(false);
  }

  return (
    <View style={styles.place}>
      {open ? (
        <Sheet>
          {open === 'models' ? (
            <Models models={models} chosen={model} onChoose={choose} />
          ) : (
            <Options fields={more} values={draft.values} onValue={setValue} />
          )}
        </Sheet>
      ) : null}
      <View
        style={[
          styles.box,
          { backgroundColor: theme.surface, boxShadow: theme.shadow, borderColor: isFocused ? theme.accent : theme.line },
        ]}
      >
        {photoFields.map((field) => (
          <Photos
            key={field.name}
            title={field.title}
            photos={draft.photos[field.name] ?? []}
            onRemove={(id) => onDraft(withoutPhoto(draft, field.name, id))}
          />
        ))}
        <View style={styles.line}>
          {hasPrompt ? (
            <PromptInput
              value={draft.prompt}
              longest={prompt?.kind === 'text' ? prompt.longest : LONGEST_TEXT}
              onChange={(text) => onDraft({ ...draft, prompt: text })}
              onFocus={(isNow) => {
                setFocused(isNow);
                if (isNow) setInUse(true);
              }}
              onSend={generate}
            />
          ) : (
            <Words tone="muted" style={styles.wordless}>
              {COMPOSER.noPrompt}
            </Words>
          )}
          <SignButton
            sign="up"
            label={model ? COMPOSER.generateFor(model.cost) : COMPOSER.generate}
            size={40}
            ground={theme.accent}
            colour={theme.onAccent}
            isDisabled={!canGenerate}
            onPress={generate}
          />
        </View>
        {hasTools ? (
          <ScrollView
            horizontal
            showsHorizontalScrollIndicator={false}
            keyboardShouldPersistTaps="handled"
            style={styles.tools}
            contentContainerStyle={styles.row}
          >
            {model && models.length > 1 ? (
              <Button
                label={COMPOSER.modelFor(model.title, model.cost)}
                of={COMPOSER.model}
                isSmall
                isOpen={open === 'models'}
                onPress={() => toggle('models')}
              />
            ) : null}
            {photoFields.map((field) => (
              <PhotoButtons
                key={field.name}
                field={field}
                count={draft.photos[field.name]?.length ?? 0}
                onPick={(from) => onPick(field.name, from)}
              />
            ))}
            {more.length > 0 ? (
              <Button
                label={open === 'options' ? COMPOSER.less : COMPOSER.more}
                of={COMPOSER.options}
                isSmall
                isOpen={open === 'options'}
                onPress={() => toggle('options')}
              />
            ) : null}
          </ScrollView>
        ) : null}
      </View>
    </View>
  );
}

function Sheet({ children }: { children: ReactNode }) {
  const theme = useTheme();
  const { height } = useWindowDimensions();
  return (
    <ScrollView
      keyboardShouldPersistTaps="handled"
      style={[styles.sheet, { maxHeight: height * 0.4, backgroundColor: theme.surface, borderColor: theme.line }]}
      contentContainerStyle={styles.options}
    >
      {children}
    </ScrollView>
  );
}

const styles = StyleSheet.create({
  place: { width: '100%', maxWidth: 720, alignSelf: 'center', paddingHorizontal: space.m, gap: space.s },
  box: { gap: 6, padding: 6, borderRadius: round.l, borderWidth: 1 },
  line: { flexDirection: 'row', alignItems: 'flex-end', gap: space.s, paddingLeft: space.m },
  wordless: { flex: 1, alignSelf: 'center' },
  sheet: { flexGrow: 0, borderRadius: round.m, borderWidth: 1 },
  options: { padding: space.s, gap: space.s },
  // As high as its buttons: nothing moves under a finger when the first list of models arrives.
  tools: { flexGrow: 0, minHeight: 32 },
  row: { alignItems: 'center', gap: space.s },
});
