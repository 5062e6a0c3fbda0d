/** The one bar of the picture screen, and the actions behind its "More". */

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
  isFile,
  isUnderWay,
  type Item,
  type Output,
  promptOf,
  useGenerate,
  useModels,
  useSignedUrl,
} from '@/features/generations';
import { savePicture, sharePicture } from '@/lib/pictures';
import { APP } from '@/texts/app';
import { PICTURE, REPORT } from '@/texts/gallery';

import { draft } from './draft';
import { ReportForm } from './report-form';
import { useCard } from './use-card';
import { report } from './use-notice';

interface PictureBarProps {
  item: Item;
  output: Output | undefined;
  onGone: () => void;
  /** Called when another request took the place of this one. */
  onReplaced: (id: string) => void;
}

export function PictureBar(props: PictureBarProps) {
  const { item } = props;
  if (item.status === 'succeeded') return <OfSucceeded {...props} item={item} />;
  return isUnderWay(item) ? <OfPending {...props} /> : <OfUnsuccessful {...props} />;
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
    if (!stored || !url) return report(PICTURE.notHere);
    const picture = { url, name: stored.path.split('/').slice(-2).join('-'), mime: stored.mime };
    over(picture).then(
      (isSaved) => isSaved && done && report(done),
      () => report(PICTURE.notFetched),
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
    { sign: 'share', word: PICTURE.share, name: PICTURE.share, onPress: () => hand(sharePicture) },
    { sign: 'save', word: PICTURE.save, name: PICTURE.saveToPhotos, onPress: () => hand(savePicture, PICTURE.saved) },
  ];
  const actions: BarAction[] = [
    ...(stored ? files : []),
    { sign: 'again', word: PICTURE.again, name: PICTURE.again, onPress: again },
    ...beginning('image', { sign: 'start', word: PICTURE.use, name: PICTURE.useAsStart }),
    ...beginning('video', { sign: 'animate', word: PICTURE.animate, name: PICTURE.animateThis }),
    { sign: 'edit', word: APP.edit, name: APP.editPrompt, onPress: edit },
    { sign: 'more', word: PICTURE.more, name: PICTURE.more, onPress: () => setPanel('more') },
  ];
  const close = () => setPanel(null);
  return (
    <>
      <Bar actions={actions} />
      {panel === 'more' ? (
        <Sheet title={PICTURE.more} onClose={close}>
          <Button label={REPORT.report} onPress={() => setPanel('report')} />
          <Button
            label={APP.delete}
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
      {first === 'credits' ? <Button label={APP.getCredits} kind="primary" onPress={getCredits} /> : null}
      {first === 'edit' ? <Button label={APP.editPrompt} kind="primary" onPress={edit} /> : null}
      <Button label={APP.retry} of={promptOf(item)} kind={first === 'retry' ? 'primary' : 'quiet'} onPress={retryHere} />
      {first === 'edit' ? null : <Button label={APP.editPrompt} onPress={edit} />}
      <Button label={APP.delete} kind="danger" onPress={erase} />
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
      <Button label={APP.cancel} onPress={stop} />
    </View>
  );
}

const styles = StyleSheet.create({
  actions: { flexDirection: 'row', flexWrap: 'wrap', gap: space.s, marginVertical: space.s },
});
