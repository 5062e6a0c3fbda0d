/** One generation, as large as the screen.
 * Its neighbours are one swipe away, and one bar has all its actions. */

import { useRouter } from 'expo-router';
import { useEffect, useRef, useState } from 'react';
import { Pressable, StyleSheet, useWindowDimensions, View } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';

import { SignButton } from '@/components/button';
import { Glow } from '@/components/glow';
import { BackButton, useGoBack } from '@/components/header';
import { Pager } from '@/components/pager';
import type { PagerHandle } from '@/components/pager-props';
import { round, space, TOUCH, useTheme } from '@/components/theme';
import { Words } from '@/components/words';
import { isFile, isUnderWay, type Item, promptOf, statusLine, useGallery, useGeneration, useModels } from '@/features/generations';
import { PICTURE } from '@/texts/gallery';
import { NOT_SHOWN } from '@/texts/generations';

import { News } from './news';
import { type Page, pagesOf } from './pages';
import { PictureBar } from './picture-bar';
import { ratioOf } from './ratio';
import { Result } from './result';
import { useKeys } from './use-keys';

export function PictureScreen({ id }: { id: string }) {
  const theme = useTheme();
  const insets = useSafeAreaInsets();
  const { item, isLookingUp } = useGeneration(id);
  const close = useGoBack();
  useKeys({ Escape: close });
  return (
    <View style={[styles.screen, { backgroundColor: theme.ground, paddingTop: insets.top, paddingBottom: insets.bottom }]}>
      <View style={styles.header}>
        <BackButton onPress={close} />
        <View style={styles.news}>
          <News />
        </View>
      </View>
      {item ? (
        <Pages item={item} onGone={close} />
      ) : (
        <View style={styles.centre}>
          <Words tone="muted">{isLookingUp ? PICTURE.looking : PICTURE.unknown}</Words>
        </View>
      )}
    </View>
  );
}

function Pages({ item, onGone }: { item: Item; onGone: () => void }) {
  const router = useRouter();
  const screen = useWindowDimensions();
  const { items, loadOlder } = useGallery();
  const pager = useRef<PagerHandle>(null);
  const [index, setIndex] = useState(0);

  const pages = pagesOf(items, item.id);
  const own = pages.filter((page) => page.item.id === item.id);
  const page = own[index] ?? own[0] ?? { key: item.id, item, index: 0 };
  const at = pages.findIndex(({ key }) => key === page.key);
  const [previous, next] = [pages[at - 1], pages[at + 1]];
  const isLast = next === undefined;
  useEffect(() => {
    if (isLast) loadOlder();
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isLast, items.length]);

  const show = (wanted: Page | undefined) => {
    if (!wanted) return;
    setIndex(wanted.index);
    if (wanted.item.id !== item.id) router.setParams({ id: wanted.item.id });
  };
  useKeys({
    ArrowLeft: () => pager.current?.step(-1),
    ArrowRight: () => pager.current?.step(1),
    '+': () => pager.current?.zoom(1.5),
    '=': () => pager.current?.zoom(1.5),
    '-': () => pager.current?.zoom(1 / 1.5),
    '0': () => pager.current?.zoom(0),
  });

  const byKey = new Map([previous, page, next].flatMap((known) => (known ? [[known.key, known]] : [])));
  const output = page.item.status === 'succeeded' ? page.item.output[page.index] : undefined;
  const kind = !output || !isFile(output) ? 'words' : output.kind === 'image' ? 'picture' : 'player';
  const isWide = screen.width >= 900;
  return (
    <View style={[styles.room, isWide ? styles.beside : null]}>
      <View style={styles.room}>
        <Pager
          ref={pager}
          pages={[previous?.key ?? null, page.key, next?.key ?? null]}
          kind={kind}
          onMove={(by) => show(by > 0 ? next : previous)}
          render={(key, isCurrent) => <OnePage page={byKey.get(key)} isCurrent={isCurrent} />}
        />
        {previous && screen.width >= 700 ? <Turn sign="previous" label={PICTURE.newer} onPress={() => pager.current?.step(-1)} /> : null}
        {next && screen.width >= 700 ? <Turn sign="next" label={PICTURE.older} onPress={() => pager.current?.step(1)} /> : null}
      </View>
      <View style={isWide ? styles.panel : styles.below}>
        {own.length > 1 ? (
          <View role="tablist" aria-label={PICTURE.results} style={styles.dots}>
            {own.map((known) => (
              <Dot key={known.key} number={known.index + 1} count={own.length} isOn={known.key === page.key} onPress={() => show(known)} />
            ))}
          </View>
        ) : null}
        <Words kind={isWide ? 'title' : 'label'} role="heading" selectable numberOfLines={isWide ? undefined : 3}>
          {promptOf(item)}
        </Words>
        <View style={styles.facts}>
          <Words kind="small" tone={item.status === 'failed' ? 'danger' : 'muted'} aria-live="polite">
            {statusLine(item)}
          </Words>
          <Words kind="small" tone="muted">
            {new Date(item.requestedAt).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })}
          </Words>
        </View>
        <PictureBar item={item} output={output} onGone={onGone} onReplaced={(id) => router.setParams({ id })} />
      </View>
    </View>
  );
}

function OnePage({ page, isCurrent }: { page: Page | undefined; isCurrent: boolean }) {
  const theme = useTheme();
  const models = useModels();
  if (!page) return null;
  const { item } = page;
  const label = promptOf(item);
  if (item.status === 'succeeded') {
    const output = item.output[page.index];
    if (output) return <Result {...{ output, label, isCurrent }} />;
    return (
      <View style={styles.centre}>
        <Words tone="muted">{NOT_SHOWN}</Words>
      </View>
    );
  }
  return (
    <View style={styles.centre}>
      {isUnderWay(item) && isCurrent ? (
        <View style={[styles.frame, { aspectRatio: ratioOf(item, models, []), backgroundColor: theme.raised }]}>
          <Glow prompt={label} />
        </View>
      ) : (
        <Words kind="display" tone="muted" style={styles.nothing} aria-hidden>
          {PICTURE.none}
        </Words>
      )}
    </View>
  );
}

function Turn({ sign, label, onPress }: { sign: 'previous' | 'next'; label: string; onPress: () => void }) {
  const theme = useTheme();
  const side = sign === 'previous' ? { left: space.m } : { right: space.m };
  return <SignButton {...{ sign, label, onPress }} size={TOUCH} ground={theme.raised} colour={theme.ink} style={[styles.turn, side]} />;
}

function Dot({ number, count, isOn, onPress }: { number: number; count: number; isOn: boolean; onPress: () => void }) {
  const theme = useTheme();
  return (
    <Pressable role="tab" aria-selected={isOn} aria-label={PICTURE.result(number, count)} onPress={onPress} hitSlop={10} style={styles.dotPlace}>
      <View style={[styles.dot, { backgroundColor: isOn ? theme.accent : theme.line }]} />
    </Pressable>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1 },
  header: { flexDirection: 'row', alignItems: 'center', minHeight: 56, paddingHorizontal: space.m, gap: space.s },
  news: { flex: 1, paddingRight: 40, paddingTop: space.s },
  room: { flex: 1 },
  beside: { flexDirection: 'row' },
  panel: { width: 400, justifyContent: 'center', gap: space.m, padding: space.xl },
  below: { width: '100%', maxWidth: 760, alignSelf: 'center', gap: space.xs, paddingHorizontal: space.l, paddingTop: space.m, paddingBottom: space.s },
  facts: { flexDirection: 'row', flexWrap: 'wrap', columnGap: space.l },
  centre: { flex: 1, alignItems: 'center', justifyContent: 'center', padding: space.l },
  frame: { width: '100%', maxWidth: 640, maxHeight: '100%', borderRadius: round.l, overflow: 'hidden' },
  nothing: { textAlign: 'center' },
  turn: { position: 'absolute', top: '50%', marginTop: -TOUCH / 2 },
  dots: { flexDirection: 'row', justifyContent: 'center', gap: space.xs },
  dotPlace: { padding: 6 },
  dot: { width: 9, height: 9, borderRadius: 5 },
});
