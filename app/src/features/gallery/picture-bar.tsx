/** The one bar of the picture screen, and what stands behind its "More". */

import { useRouter } from 'expo-router';
import { useState } from 'react';
import { StyleSheet, View } from 'react-native';

import { Bar, type BarAction } from '@/components/bar';
import { Button } from '@/components/button';
import { Sheet } from '@/components/sheet';
import { space } from '@/components/theme';
import {
  draftFrom,
  firstActionOf,
  hasEnded,
  isFile,
  type Item,
  type Output,
  promptOf,
  useGenerate,
  useModels,
  useSignedUrl,
} from '@/features/generations';
import { savePicture, sharePicture } from '@/lib/pictures';

import { draft } from './draft';
import { ReportForm } from './report-form';
import { useCard } from './use-card';
import { report } from './use-notice';

interface PictureBarProps {
  item: Item;
  output: Output | undefined;
  onGone: () => void;
  /** Another request took its place. */
  onReplaced: (id: string) => void;
}

export function PictureBar(props: PictureBarProps) {
  const { item } = props;
  if (item.status === 'succeeded') return <OfSucceeded {...props} item={item} />;
  return hasEnded(item) || item.status === 'refused' ? <OfUnsuccessful {...props} /> : <OfPending {...props} />;
}

function OfSucceeded({ item, output, onGone }: PictureBarProps & { item: Extract<Item, { status: 'succeeded' }> }) {
  const router = useRouter();
  const models = useModels();
  const generate = useGenerate();
  const { edit, remove } = useCard(item);
  const [panel, setPanel] = useState<'more' | 'report' | null>(null);
  const stored = output && isFile(output) ? output : undefined;
  const { url } = useSignedUrl(stored);

  const hand = (over: typeof savePicture | typeof sharePicture, done?: string) => {
    if (!stored || !url) return report('It is not here yet.');
    const picture = { url, name: stored.path.split('/').slice(-2).join('-'), mime: stored.mime };
    over(picture).then(
      (isSaved) => isSaved && done && report(done),
      () => report('It could not be fetched. Try again in a moment.'),
    );
  };
  const again = () => {
    generate(item.model, item.input);
    router.dismissTo('/');
  };
  const photo = stored?.kind === 'image' ? { id: stored.path, path: stored.path, uri: url ?? '' } : null;
  const beginning = (kind: string, action: Omit<BarAction, 'onPress'>): BarAction[] => {
    const made = photo && draftFrom(item, photo, models, kind);
    if (!made) return [];
    const begin = () => {
      draft.set(made);
      router.dismissTo('/');
    };
    return [{ ...action, onPress: begin }];
  };
  const files: BarAction[] = [
    { sign: 'share', word: 'Share', name: 'Share', onPress: () => hand(sharePicture) },
    { sign: 'save', word: 'Save', name: 'Save to photos', onPress: () => hand(savePicture, 'It is in your photos.') },
  ];
  const actions: BarAction[] = [
    ...(stored ? files : []),
    { sign: 'again', word: 'Again', name: 'Again', onPress: again },
    ...beginning('image', { sign: 'start', word: 'Use', name: 'Use as start' }),
    ...beginning('video', { sign: 'animate', word: 'Animate', name: 'Animate this' }),
    { sign: 'edit', word: 'Edit', name: 'Edit prompt', onPress: edit },
    { sign: 'more', word: 'More', name: 'More', onPress: () => setPanel('more') },
  ];
  const close = () => setPanel(null);
  return (
    <>
      <Bar actions={actions} />
      {panel === 'more' ? (
        <Sheet title="More" onClose={close}>
          <Button label="Report" onPress={() => setPanel('report')} />
          <Button
            label="Delete"
            kind="danger"
            onPress={() => {
              close();
              onGone();
              remove();
            }}
          />
        </Sheet>
      ) : null}
      {panel === 'report' ? <ReportForm id={item.id} onClose={close} /> : null}
    </>
  );
}

function OfUnsuccessful({ item, onGone, onReplaced }: PictureBarProps) {
  const { retry, edit, getCredits, remove } = useCard(item);
  const first = firstActionOf(item);
  const retryHere = () => onReplaced(retry());
  const erase = () => {
    onGone();
    remove();
  };
  return (
    <View style={styles.actions}>
      {first === 'credits' ? <Button label="Get credits" kind="primary" onPress={getCredits} /> : null}
      {first === 'edit' ? <Button label="Edit prompt" kind="primary" onPress={edit} /> : null}
      <Button label="Retry" of={promptOf(item)} kind={first === 'retry' ? 'primary' : 'quiet'} onPress={retryHere} />
      {first === 'edit' ? null : <Button label="Edit prompt" onPress={edit} />}
      <Button label="Delete" kind="danger" onPress={erase} />
    </View>
  );
}

function OfPending({ item, onGone }: PictureBarProps) {
  const { cancel } = useCard(item);
  const stop = () => {
    if (item.status === 'sending') onGone();
    void cancel();
  };
  return (
    <View style={styles.actions}>
      <Button label="Cancel" onPress={stop} />
    </View>
  );
}

const styles = StyleSheet.create({
  actions: { flexDirection: 'row', flexWrap: 'wrap', gap: space.s, marginVertical: space.s },
});
