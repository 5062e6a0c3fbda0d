/** The first screen of a new user: one sentence about the app, and three ways to begin. */

import { Image } from 'expo-image';
import { Pressable, StyleSheet, View } from 'react-native';

import { round, space, useTheme } from './theme';
import { Words } from './words';

const IDEAS = ['A lighthouse at dusk, oil on canvas', 'Koi in a neon pond', 'A quiet library inside a whale'];

export function EmptyGallery({ onIdea }: { onIdea: (idea: string) => void }) {
  const theme = useTheme();
  return (
    <View style={styles.place}>
      <Image source={require('@/assets/mark.png')} style={styles.mark} aria-hidden />
      <Words kind="display" role="heading" style={styles.centre}>
        What do you see?
      </Words>
      <Words tone="muted" style={styles.centre}>
        Describe it. It starts at once and goes on, even when you leave.
      </Words>
      <View style={styles.ideas}>
        {IDEAS.map((idea) => (
          <Pressable
            key={idea}
            role="button"
            onPress={() => onIdea(idea)}
            style={({ pressed }) => [
              styles.idea,
              { backgroundColor: theme.surface, borderColor: theme.line, opacity: pressed ? 0.7 : 1 },
            ]}
          >
            <Words>{idea}</Words>
          </Pressable>
        ))}
      </View>
    </View>
  );
}

const styles = StyleSheet.create({
  place: { flexGrow: 1, alignItems: 'center', justifyContent: 'center', padding: space.xl, gap: space.m },
  mark: { width: 72, height: 72 },
  centre: { textAlign: 'center', maxWidth: 320 },
  ideas: { alignSelf: 'stretch', maxWidth: 420, marginTop: space.l, gap: space.s },
  idea: { minHeight: 48, justifyContent: 'center', paddingHorizontal: space.l, borderRadius: round.m, borderWidth: 1 },
});
