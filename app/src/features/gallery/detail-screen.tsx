/** One generation, large, with all its actions. */

import { useRouter } from 'expo-router';
import { type PropsWithChildren, useState } from 'react';
import { ScrollView, StyleSheet, View } from 'react-native';
import { useSafeAreaInsets } from 'react-native-safe-area-context';

import { Button, SignButton } from '@/components/button';
import { Glow } from '@/components/glow';
import { Notice } from '@/components/notice';
import { Picture } from '@/components/picture';
import { Film, Sound } from '@/components/player';
import { round, space, useTheme } from '@/components/theme';
import { Words } from '@/components/words';
import {
  EMPTY_DRAFT,
  type FileOutput,
  hasEnded,
  isFile,
  type Item,
  NOT_SHOWN,
  type Output,
  pictureOf,
  promptOf,
  statusLine,
  useActions,
  useGeneration,
  useSignedUrl,
} from '@/features/generations';
import { sharePicture } from '@/lib/pictures';

import { draft } from './draft';
import { report, useNotice } from './use-notice';

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
  const outputs = item.status === 'succeeded' ? item.output : [];
  return (
    <ScrollView contentContainerStyle={[styles.content, { paddingBottom: insets.bottom + space.xl }]}>
      <Notice text={useNotice()} />
      {hasEnded(item) ? null : (
        <Frame>
          <Glow prompt={promptOf(item)} />
        </Frame>
      )}
      {outputs.map((output, index) => (
        <Result key={index} output={output} label={promptOf(item)} />
      ))}
      {item.status === 'succeeded' && outputs.length === 0 ? <Words tone="muted">{NOT_SHOWN}</Words> : null}
      <Words kind="title" role="heading" selectable>
        {promptOf(item)}
      </Words>
      <Words tone="muted" aria-live="polite">
        {statusLine(item)} · {new Date(item.requestedAt).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })}
      </Words>
      <Actions item={item} onGone={onGone} />
    </ScrollView>
  );
}

function Frame({ ratio = 1, children }: PropsWithChildren<{ ratio?: number }>) {
  const theme = useTheme();
  return (
    <View style={[styles.frame, { aspectRatio: ratio, backgroundColor: theme.raised, boxShadow: theme.shadow }]}>
      {children}
    </View>
  );
}

function Result({ output, label }: { output: Output; label: string }) {
  if (isFile(output)) return <StoredResult output={output} label={label} />;
  return (
    <Words selectable style={styles.text}>
      {output.text}
    </Words>
  );
}

function StoredResult({ output, label }: { output: FileOutput; label: string }) {
  const { path, mime } = output;
  const { url, renew } = useSignedUrl(output);
  const share = () => {
    if (!url) return report('It is not here yet.');
    const picture = { url, name: path.split('/').slice(-2).join('-'), mime };
    sharePicture(picture).catch(() => report('It could not be shared. Try again in a moment.'));
  };
  return (
    <>
      {output.kind === 'audio' ? (
        <Sound url={url} label={label} duration={output.duration} />
      ) : (
        <Frame ratio={output.width && output.height ? output.width / output.height : 1}>
          {output.kind === 'video' ? (
            <Film url={url} label={label}>
              <Poster output={output} label={label} />
            </Film>
          ) : (
            <Picture {...{ url, cacheKey: path, blurhash: output.blurhash, label, onBroken: renew }} fit="contain" />
          )}
        </Frame>
      )}
      <View style={styles.actions}>
        <Button label="Share or save" kind="primary" onPress={share} />
      </View>
    </>
  );
}

function Poster({ output, label }: { output: FileOutput; label: string }) {
  const poster = pictureOf(output);
  const { url, renew } = useSignedUrl(poster);
  return <Picture {...{ url, cacheKey: poster?.path ?? output.path, blurhash: output.blurhash, label, onBroken: renew }} fit="contain" />;
}

interface ActionsProps {
  item: Item;
  onGone: () => void;
}

function Actions({ item, onGone }: ActionsProps) {
  const router = useRouter();
  const { cancelItem, deleteItem, retryItem } = useActions();
  const [isSure, setSure] = useState(false);

  const retry = () => router.replace({ pathname: '/generation/[id]', params: { id: retryItem(item) } });
  const edit = () => {
    draft.set({ ...EMPTY_DRAFT, model: item.model, prompt: promptOf(item) });
    router.dismissTo('/');
  };
  const remove = () => {
    if (!isSure) return setSure(true);
    onGone();
    deleteItem(item).catch(() => report('It could not be deleted. Try again in a moment.'));
  };
  const cancel = () => {
    cancelItem(item).then(
      (isOver) => {
        if (!isOver) report('It stops as soon as it can.');
        else if (item.status === 'sending') onGone();
      },
      () => report('It could not be canceled. Try again in a moment.'),
    );
  };

  if (!hasEnded(item) && item.status !== 'refused') {
    return (
      <View style={styles.actions}>
        <Button label="Cancel" onPress={cancel} />
      </View>
    );
  }
  return (
    <View style={styles.actions}>
      {item.status === 'succeeded' ? null : <Button label="Retry" kind="primary" onPress={retry} />}
      <Button label="Edit prompt" onPress={edit} />
      <Button label={isSure ? 'Delete for good' : 'Delete'} kind="danger" onPress={remove} />
    </View>
  );
}

const styles = StyleSheet.create({
  screen: { flex: 1 },
  header: { paddingHorizontal: space.l, paddingVertical: space.m },
  nothing: { flex: 1, alignItems: 'center', justifyContent: 'center', padding: space.xl },
  content: { width: '100%', maxWidth: 640, alignSelf: 'center', paddingHorizontal: space.l, gap: space.m },
  text: { marginBottom: space.s },
  frame: { width: '100%', borderRadius: round.l, overflow: 'hidden', marginBottom: space.s },
  actions: { flexDirection: 'row', flexWrap: 'wrap', gap: space.s, marginTop: space.s },
});
