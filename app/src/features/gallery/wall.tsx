/** The wall: every card in its true proportions. Only cards near the screen are drawn. */

import { type RefObject, useEffect, useState } from 'react';
import { type NativeScrollEvent, type NativeSyntheticEvent, RefreshControl, ScrollView, StyleSheet, useWindowDimensions, View } from 'react-native';

import { EmptyGallery } from '@/components/empty-gallery';
import { space, useTheme } from '@/components/theme';
import { type Item, useGallery, useModels } from '@/features/generations';

import { setPrompt } from './draft';
import { GalleryCard } from './gallery-card';
import { layOut, near, type Placed } from './layout';
import { ratioOf } from './ratio';

const WIDEST = 1600;
/** Pixels of scrolling after which other cards are drawn. */
const STEP = 240;
/** Before the first scroll, load no more pictures than a screen shows. */
const AT_LAUNCH = 20;

export function Wall({ list }: { list: RefObject<ScrollView | null> }) {
  const theme = useTheme();
  const screen = useWindowDimensions();
  const models = useModels();
  const { items, loadOlder, refresh } = useGallery();
  const [isPulled, setPulled] = useState(false);
  const [step, setStep] = useState<number | null>(null);
  // A scroll bar takes some of the window's width.
  const [inner, setInner] = useState<number | null>(null);
  const [needed, setNeeded] = useState<Record<string, number>>({});

  const width = inner ?? Math.min(WIDEST, screen.width - 2 * space.m);
  const { placed, height } = layOut(
    items.map((item) => ({ id: item.id, ratio: ratioOf(item, models, items), least: isPicture(item) ? 0 : needed[item.id] })),
    width,
    screen.fontScale,
  );
  const top = (step ?? 0) * STEP;
  const reach = step === null ? 0 : screen.height;
  const shown = near(placed, top, top + STEP + screen.height, reach).slice(0, step === null ? AT_LAUNCH : undefined);

  const isNearEnd = items.length > 0 && height < top + 2 * screen.height;
  useEffect(() => {
    if (isNearEnd) loadOlder();
    // Request again after every page that arrived and left the end near.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isNearEnd, items.length]);

  const onScroll = ({ nativeEvent }: NativeSyntheticEvent<NativeScrollEvent>) =>
    setStep(Math.max(0, Math.floor(nativeEvent.contentOffset.y / STEP)));
  const onRefresh = () => {
    setPulled(true);
    void refresh().finally(() => setPulled(false));
  };
  const onWidth = (pixels: number) => {
    if (pixels !== width) setInner(pixels);
  };
  const onHeight = (id: string, pixels: number) =>
    setNeeded((known) => (Math.abs((known[id] ?? 0) - pixels) < 1 ? known : { ...known, [id]: pixels }));
  const cards = new Map(items.map((item) => [item.id, item]));

  return (
    <ScrollView
      ref={list}
      onScroll={onScroll}
      scrollEventThrottle={32}
      refreshControl={<RefreshControl refreshing={isPulled} onRefresh={onRefresh} tintColor={theme.accent} />}
      keyboardDismissMode="on-drag"
      keyboardShouldPersistTaps="handled"
      style={styles.list}
      contentContainerStyle={styles.content}
    >
      {items.length === 0 ? (
        <EmptyGallery onIdea={setPrompt} />
      ) : (
        <View style={{ height }} onLayout={({ nativeEvent }) => onWidth(Math.floor(nativeEvent.layout.width))}>
          {shown.map((card) => {
            const item = cards.get(card.id);
            return item ? <Cell key={card.id} card={card} item={item} onHeight={onHeight} /> : null;
          })}
        </View>
      )}
    </ScrollView>
  );
}

const isPicture = (item: Item) => item.status === 'succeeded' && item.output[0]?.kind !== 'text' && item.output.length > 0;

interface CellProps {
  card: Placed;
  item: Item;
  onHeight: (id: string, pixels: number) => void;
}

function Cell({ card: { id, height, ...place }, item, onHeight }: CellProps) {
  if (isPicture(item)) {
    return (
      <View style={[styles.cell, place, { height }]}>
        <GalleryCard item={item} />
      </View>
    );
  }
  return (
    <View
      style={[styles.cell, place, { minHeight: height }]}
      onLayout={({ nativeEvent }) => onHeight(id, nativeEvent.layout.height > height + 1 ? Math.ceil(nativeEvent.layout.height) : 0)}
    >
      <GalleryCard item={item} />
    </View>
  );
}

const styles = StyleSheet.create({
  list: { flex: 1 },
  content: { flexGrow: 1, width: '100%', maxWidth: WIDEST + 2 * space.m, alignSelf: 'center', padding: space.m, paddingTop: space.xs },
  // In a browser the others make room for a new card; a phone draws them in their new places.
  cell: { position: 'absolute', transitionProperty: 'top, left', transitionDuration: '220ms' } as object,
});
