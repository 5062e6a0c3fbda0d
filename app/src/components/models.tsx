/** The choice of a model, with the description and the cost of each. */

import { Pressable, StyleSheet, View } from 'react-native';

import type { Model } from '@/features/generations/types';
import { creditsOf } from '@/texts/app';
import { COMPOSER } from '@/texts/gallery';

import { round, space, useTheme } from './theme';
import { Words } from './words';

interface ModelsProps {
  models: Model[];
  chosen: Model | undefined;
  onChoose: (model: Model) => void;
}

export function Models({ models, chosen, onChoose }: ModelsProps) {
  const theme = useTheme();
  return (
    <View role="radiogroup" aria-label={COMPOSER.model}>
      {models.map((model) => {
        const { id, title, description, cost } = model;
        const isChosen = id === chosen?.id;
        return (
          <Pressable
            key={id}
            role="radio"
            aria-checked={isChosen}
            onPress={() => onChoose(model)}
            style={[styles.model, { backgroundColor: isChosen ? theme.raised : undefined }]}
          >
            <View style={styles.line}>
              <Words kind="label" style={styles.title}>
                {title}
              </Words>
              <Words kind="small" tone={isChosen ? 'ink' : 'muted'}>
                {creditsOf(cost)}
              </Words>
            </View>
            {description ? (
              <Words kind="small" tone="muted">
                {description}
              </Words>
            ) : null}
          </Pressable>
        );
      })}
    </View>
  );
}

const styles = StyleSheet.create({
  model: { minHeight: 48, justifyContent: 'center', padding: space.m, gap: 2, borderRadius: round.s },
  line: { flexDirection: 'row', alignItems: 'baseline', gap: space.m },
  title: { flex: 1 },
});
