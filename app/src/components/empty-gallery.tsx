/** The first screen of a new user: one sentence about the app, and sample pictures.
 * The user can take over and change their prompts. */

import { Image } from 'expo-image';
import { Pressable, StyleSheet, View } from 'react-native';

import { EMPTY } from '@/texts/gallery';

import { round, space, useTheme } from './theme';
import { Words } from './words';

const SAMPLES = [
  { prompt: EMPTY.samples.lighthouse, source: require('@/assets/samples/lighthouse.webp') as number },
  { prompt: EMPTY.samples.lights, source: require('@/assets/samples/northern-lights.webp') as number },
  { prompt: EMPTY.samples.castle, source: require('@/assets/samples/castle.webp') as number },
  { prompt: EMPTY.samples.boat, source: require('@/assets/samples/boat.webp') as number },
  { prompt: EMPTY.samples.fox, source: require('@/assets/samples/fox.webp') as number },
  { prompt: EMPTY.samples.meadow, source: require('@/assets/samples/meadow.webp') as number },
];

export function EmptyGallery({ onIdea }: { onIdea: (idea: string) => void }) {
  const theme = useTheme();
  return (
    <View style={styles.place}>
      <Words kind="display" role="heading" style={styles.centre}>
        {EMPTY.title}
      </Words>
      <Words tone="muted" style={styles.centre}>
        {EMPTY.text}
      </Words>
      <View style={styles.samples}>
        {SAMPLES.map(({ prompt, source }) => (
          <Pressable
            key={prompt}
            role="button"
            aria-label={prompt}
            onPress={() => onIdea(prompt)}
            style={({ pressed }) => [styles.sample, { backgroundColor: theme.raised, opacity: pressed ? 0.8 : 1 }]}
          >
            <Image source={source} contentFit="cover" style={styles.picture} aria-hidden />
            <View style={styles.caption}>
              <Words kind="small">{prompt}</Words>
            </View>
          </Pressable>
        ))}
      </View>
    </View>
  );
}

const styles = StyleSheet.create({
  place: { flexGrow: 1, alignItems: 'center', justifyContent: 'center', paddingVertical: space.l, gap: space.m },
  centre: { textAlign: 'center', maxWidth: 420 },
  samples: { flexDirection: 'row', flexWrap: 'wrap', justifyContent: 'center', gap: space.m, marginTop: space.m, maxWidth: 600 },
  sample: { flexBasis: '30%', minWidth: 130, flexGrow: 1, borderRadius: round.m, overflow: 'hidden' },
  picture: { width: '100%', aspectRatio: 1 },
  caption: { padding: space.m, paddingVertical: space.s },
});
