/** The wall: finished pictures, pictures under way, and the composer. */

import { Image } from 'expo-image';
import { useRef, useState } from 'react';
import { FlatList, RefreshControl, StyleSheet, useWindowDimensions, View } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';

import { Composer, creditsOf } from '@/components/composer';
import { EmptyGallery } from '@/components/empty-gallery';
import { KeyboardAvoidingView } from '@/components/keyboard';
import { Notice } from '@/components/notice';
import { round, space, useTheme } from '@/components/theme';
import { Words } from '@/components/words';
import { firstOf, type Input, type Item, pickInto, useAccount, useGallery, useGenerate, useModels } from '@/features/generations';
import { useStore } from '@/lib/store';

import { draft } from './draft';
import { GalleryCard } from './gallery-card';
import { rowsOf } from './rows';
import { report, useNotice } from './use-notice';

export function GalleryScreen() {
  const theme = useTheme();
  const insets = useSafeAreaInsets();
  const models = useModels();
  const generate = useGenerate();
  const list = useRef<FlatList<Item[]>>(null);
  const content = useStore(draft);

  function onGenerate(model: string | null, input: Input) {
    generate(model, input);
    list.current?.scrollToOffset({ offset: 0, animated: false });
  }

  return (
    <KeyboardAvoidingView
      behavior="padding"
      style={[styles.screen, { backgroundColor: theme.ground, paddingTop: insets.top }]}
    >
      <Header />
      <Notice text={useNotice()} />
      <Wall list={list} onIdea={(idea) => onGenerate(firstOf(models)?.id ?? null, { prompt: idea })} />
      <View style={{ paddingTop: space.s, paddingBottom: Math.max(insets.bottom, space.m) }}>
        <Composer models={models} draft={content} onDraft={draft.set} onPick={onPick} onGenerate={onGenerate} />
      </View>
    </KeyboardAvoidingView>
  );
}

function onPick(field: string, from: 'library' | 'camera'): void {
  pickInto(field, from).catch(() => report('This photo could not be read. Choose another one.'));
}

function Header() {
  const theme = useTheme();
  const account = useAccount();
  return (
    <View style={styles.header}>
      <Image source={require('@/assets/mark.png')} style={styles.mark} aria-hidden />
      <Words kind="title" role="heading" aria-level={1} style={styles.name}>
        Pilotlight
      </Words>
      {account ? (
        <View style={[styles.credits, { backgroundColor: theme.raised }]}>
          <Words kind="small" testID="credits">
            {account.isPaid ? `Member · ${creditsOf(account.credits)}` : creditsOf(account.credits)}
          </Words>
        </View>
      ) : null}
    </View>
  );
}

interface WallProps {
  list: React.RefObject<FlatList<Item[]> | null>;
  onIdea: (idea: string) => void;
}

function Wall({ list, onIdea }: WallProps) {
  const theme = useTheme();
  const { width } = useWindowDimensions();
  const gallery = useGallery();
  const [isPulled, setPulled] = useState(false);
  const columns = width < 560 ? 2 : width < 900 ? 3 : 4;
  const rows = rowsOf(gallery.items, columns);
  const onRefresh = () => {
    setPulled(true);
    void gallery.refresh().finally(() => setPulled(false));
  };

  return (
    <FlatList
      // The first rows begin a new list: one that began empty draws no row below the first ten until the browser
      // is idle, and Chromium is not idle while a user scrolls.
      key={rows.length > 0 ? 'wall' : 'empty'}
      ref={list}
      data={rows}
      keyExtractor={idOfRow}
      renderItem={({ item: row }) => (
        <View style={[styles.row, { aspectRatio: columns }]}>
          {row.map((item) => (
            <GalleryCard key={item.id} item={item} />
          ))}
        </View>
      )}
      onEndReached={gallery.loadOlder}
      onEndReachedThreshold={0.8}
      refreshControl={<RefreshControl refreshing={isPulled} onRefresh={onRefresh} tintColor={theme.accent} />}
      ListEmptyComponent={<EmptyGallery onIdea={onIdea} />}
      keyboardDismissMode="on-drag"
      keyboardShouldPersistTaps="handled"
      style={styles.list}
      contentContainerStyle={styles.wall}
    />
  );
}

/** The first row grows at its front and keeps its last card. */
const idOfRow = (row: Item[]) => row.at(-1)?.id ?? '';

const styles = StyleSheet.create({
  screen: { flex: 1 },
  header: { flexDirection: 'row', alignItems: 'center', gap: space.s, padding: space.l, paddingBottom: space.m },
  mark: { width: 28, height: 28 },
  name: { flex: 1 },
  credits: { paddingHorizontal: space.m, paddingVertical: 6, borderRadius: round.m },
  list: { flex: 1 },
  wall: { flexGrow: 1, width: '100%', maxWidth: 1120, alignSelf: 'center', paddingHorizontal: space.m },
  row: { flexDirection: 'row', gap: 10, paddingBottom: 10 },
});
