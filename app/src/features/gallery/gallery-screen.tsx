/** The first screen: the header, the wall, and the composer. */

import { Image } from 'expo-image';
import { Link } from 'expo-router';
import { type RefObject, useRef } from 'react';
import { Pressable, type ScrollView, StyleSheet, View } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';

import { Composer } from '@/components/composer';
import { KeyboardAvoidingView } from '@/components/keyboard';
import { Sign } from '@/components/signs';
import { round, space, TOUCH, useTheme } from '@/components/theme';
import { Words } from '@/components/words';
import { firstOf, type Input, pickInto, useAccount, useGenerate, useModels } from '@/features/generations';
import { useStore } from '@/lib/store';
import { APP, creditsOf, NAME } from '@/texts/app';
import { COMPOSER, WALL } from '@/texts/gallery';

import { draft } from './draft';
import { News } from './news';
import { report } from './use-notice';
import { Wall } from './wall';

export function GalleryScreen() {
  const theme = useTheme();
  const insets = useSafeAreaInsets();
  const list = useRef<ScrollView>(null);
  return (
    <KeyboardAvoidingView
      behavior="padding"
      style={[styles.screen, { backgroundColor: theme.ground, paddingTop: insets.top }]}
    >
      <Header />
      <News />
      <Wall list={list} />
      <View style={{ paddingTop: space.s, paddingBottom: Math.max(insets.bottom, space.m) }}>
        <Asking list={list} />
      </View>
    </KeyboardAvoidingView>
  );
}

/** Separate from the wall, so that a typed letter redraws no card. */
function Asking({ list }: { list: RefObject<ScrollView | null> }) {
  const models = useModels();
  const generate = useGenerate();
  const content = useStore(draft);
  function onGenerate(model: string | null, input: Input) {
    generate(model, input);
    list.current?.scrollTo({ y: 0, animated: false });
  }
  return (
    <>
      <Shortage model={content.model} />
      <Composer models={models} draft={content} onDraft={draft.set} onPick={onPick} onGenerate={onGenerate} />
    </>
  );
}

/** Shown before the tap: the cost of the chosen model, if the credits do not suffice. */
function Shortage({ model }: { model: string | null }) {
  const models = useModels();
  const account = useAccount();
  const chosen = models.find(({ id }) => id === model) ?? firstOf(models);
  if (!account || !chosen || account.credits >= chosen.cost || (account.isPaid && chosen.included)) return null;
  return (
    <View style={styles.shortage}>
      <Words kind="small" tone="muted">
        {`${WALL.shortage(account.credits, chosen.cost)} `}
        <Link href="/credits" testID="get-credits">
          <Words kind="small" tone="accent" style={styles.link}>
            {APP.getCredits}
          </Words>
        </Link>
      </Words>
    </View>
  );
}

function onPick(field: string, from: 'library' | 'camera'): void {
  pickInto(field, from).catch(() => report(COMPOSER.photoUnreadable));
}

function Header() {
  const theme = useTheme();
  const account = useAccount();
  return (
    <View style={styles.header}>
      <Image source={require('@/assets/mark.png')} style={styles.mark} aria-hidden />
      <Words kind="title" role="heading" aria-level={1} style={styles.name}>
        {NAME}
      </Words>
      {account ? (
        <Link href="/credits" asChild>
          <Pressable style={StyleSheet.flatten([styles.credits, { backgroundColor: theme.raised }])}>
            <Words kind="small" testID="credits">
              {account.isPaid ? WALL.member(account.credits) : creditsOf(account.credits)}
            </Words>
          </Pressable>
        </Link>
      ) : null}
      <Link href="/settings" asChild>
        <Pressable aria-label={WALL.account} style={styles.account}>
          <Sign name="account" colour={theme.ink} />
        </Pressable>
      </Link>
    </View>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1 },
  header: { flexDirection: 'row', alignItems: 'center', gap: space.s, paddingHorizontal: space.m, paddingVertical: space.s },
  mark: { width: 28, height: 28, marginLeft: space.xs },
  name: { flex: 1 },
  credits: { minHeight: 36, justifyContent: 'center', paddingHorizontal: space.m, borderRadius: round.m },
  account: { width: TOUCH, height: TOUCH, alignItems: 'center', justifyContent: 'center' },
  shortage: { width: '100%', maxWidth: 720, alignSelf: 'center', paddingHorizontal: space.xl, paddingBottom: space.s },
  link: { fontWeight: '600', textDecorationLine: 'underline' },
});
