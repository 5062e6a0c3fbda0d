/** One generation, large, with everything that can be done with it. */

import { useRouter } from 'expo-router';
import { useState } from 'react';
import { ScrollView, StyleSheet, View } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';

import { Button, SignButton } from '@/components/button';
import { Glow } from '@/components/glow';
import { Notice } from '@/components/notice';
import { Picture } from '@/components/picture';
import { round, space, useTheme } from '@/components/theme';
import { Words } from '@/components/words';
import { hasEnded, type Item, promptOf, statusLine, useActions, useGeneration, useSignedUrl } from '@/features/generations';
import { sharePicture } from '@/lib/pictures';

import { draft } from './draft';

export function DetailScreen({ id }: { id: string }) {
  const theme = useTheme();
  const router = useRouter();
  const insets = useSafeAreaInsets();
  const { item, isLookingUp } = useGeneration(id);
  const goBack = () => (router.canGoBack() ? router.back() : router.replace('/'));
  return (
    <View style={[styles.screen, { backgroundColor: theme.ground, paddingTop: insets.top }]}>
      <View style={styles.header}>
        <SignButton sign="back" label="Back" size={40} ground={theme.raised} colour={theme.ink} onPress={goBack} />
      </View>
      {item ? (
        <Detail item={item} onGone={goBack} />
      ) : (
        <View style={styles.nothing}>
          <Words tone="muted">{isLookingUp ? 'Looking…' : 'There is no such picture here.'}</Words>
        </View>
      )}
    </View>
  );
}

function Detail({ item, onGone }: { item: Item; onGone: () => void }) {
  const insets = useSafeAreaInsets();
  const theme = useTheme();
  const [problem, setProblem] = useState<string | null>(null);
  const output = item.status === 'succeeded' ? item.output[0] : undefined;
  const { url, renew } = useSignedUrl(output?.path);
  const ratio = output?.width && output.height ? output.width / output.height : 1;
  return (
    <ScrollView contentContainerStyle={[styles.content, { paddingBottom: insets.bottom + space.xl }]}>
      <Notice text={problem} />
      {output || !hasEnded(item) ? (
        <View style={[styles.frame, { aspectRatio: ratio, backgroundColor: theme.raised, boxShadow: theme.shadow }]}>
          {output ? (
            <Picture
              {...{ url, cacheKey: output.path, blurhash: output.blurhash, label: promptOf(item), onBroken: renew }}
              fit="contain"
            />
          ) : (
            <Glow prompt={promptOf(item)} />
          )}
        </View>
      ) : null}
      <Words kind="title" role="heading" selectable>
        {promptOf(item)}
      </Words>
      <Words tone="muted" aria-live="polite">
        {statusLine(item)} · {new Date(item.requestedAt).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })}
      </Words>
      <Actions item={item} url={url} onGone={onGone} onProblem={setProblem} />
    </ScrollView>
  );
}

interface ActionsProps {
  item: Item;
  url: string | undefined;
  onGone: () => void;
  onProblem: (text: string) => void;
}

function Actions({ item, url, onGone, onProblem }: ActionsProps) {
  const router = useRouter();
  const { cancelItem, deleteItem, retryItem } = useActions();
  const [isSure, setSure] = useState(false);
  const output = item.status === 'succeeded' ? item.output[0] : undefined;

  const share = () => {
    if (!output || !url) return onProblem('The picture is not here yet.');
    const picture = { url, name: output.path.split('/').slice(-2).join('-'), mime: output.mime };
    sharePicture(picture).catch(() => onProblem('It could not be shared. Try again in a moment.'));
  };
  const retry = () => router.replace({ pathname: '/generation/[id]', params: { id: retryItem(item) } });
  const edit = () => {
    draft.set(promptOf(item));
    router.dismissTo('/');
  };
  const remove = () => {
    if (!isSure) return setSure(true);
    deleteItem(item).then(onGone, () => onProblem('It could not be deleted. Try again in a moment.'));
  };
  const cancel = () => {
    cancelItem(item).then(
      (isOver) => {
        if (!isOver) onProblem('It stops as soon as it can.');
        else if (item.status === 'sending') onGone();
      },
      () => onProblem('It could not be canceled. Try again in a moment.'),
    );
  };
  const isOver = hasEnded(item) || item.status === 'refused';

  return (
    <View style={styles.actions}>
      {output ? <Button label="Share or save" kind="primary" onPress={share} /> : null}
      {isOver && !output ? <Button label="Retry" kind="primary" onPress={retry} /> : null}
      {isOver ? (
        <Button label="Edit prompt" onPress={edit} />
      ) : (
        <Button label="Cancel" onPress={cancel} />
      )}
      {isOver ? <Button label={isSure ? 'Delete for good' : 'Delete'} kind="danger" onPress={remove} /> : null}
    </View>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1 },
  header: { paddingHorizontal: space.l, paddingVertical: space.m },
  nothing: { flex: 1, alignItems: 'center', justifyContent: 'center', padding: space.xl },
  content: { width: '100%', maxWidth: 640, alignSelf: 'center', paddingHorizontal: space.l, gap: space.m },
  frame: { width: '100%', borderRadius: round.l, overflow: 'hidden', marginBottom: space.s },
  actions: { flexDirection: 'row', flexWrap: 'wrap', gap: space.s, marginTop: space.s },
});
