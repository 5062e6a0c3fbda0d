/** One generation on the wall. The card stays while its content changes, so nothing jumps. */

import { Link } from 'expo-router';
import { type PropsWithChildren, useState } from 'react';
import { Pressable, StyleSheet, View } from 'react-native';

import { firstActionOf, statusLine } from '@/features/generations/messages';
import { isFile, isUnderWay, type Item, type Output, pictureOf, promptOf } from '@/features/generations/types';
import { APP } from '@/texts/app';
import { CARD } from '@/texts/gallery';
import { NOT_SHOWN } from '@/texts/generations';

import { Button, SignButton } from './button';
import { clock } from './clock';
import { Glow } from './glow';
import { Picture } from './picture';
import { round, space, useTheme } from './theme';
import { Words } from './words';

export interface CardProps {
  item: Item;
  url: string | undefined;
  onRetry: () => void;
  onEdit: () => void;
  onCredits: () => void;
  onCancel: () => void;
  onDelete: () => void;
  onBroken: () => void;
  /** Called when an awaited picture is on the screen. */
  onArrived: () => void;
}

const FADE = 400; // milliseconds: a little longer than the fade of a picture

export function GenerationCard(props: CardProps) {
  const theme = useTheme();
  const { item, onArrived } = props;
  const isWaiting = isUnderWay(item);
  // Keep the colours below an awaited picture until it has faded in.
  const [wasWaiting, setWasWaiting] = useState(isWaiting);
  const hasPicture = item.status === 'succeeded' && pictureOf(item.output[0]) !== undefined;
  const isWords = !isWaiting && !hasPicture;
  if (wasWaiting !== isWaiting && !hasPicture) setWasWaiting(isWaiting);
  const isArriving = wasWaiting && hasPicture;
  const arrive = () => {
    if (!isArriving) return;
    onArrived();
    setTimeout(() => setWasWaiting(false), FADE);
  };
  return (
    <View
      testID={`card-${item.id}`}
      style={[styles.card, { backgroundColor: isWords ? theme.surface : theme.raised }, isWords ? { borderWidth: 1, borderColor: theme.line } : null]}
    >
      {isWaiting || isArriving ? <Glow prompt={promptOf(item)} /> : null}
      <Content {...props} isArriving={isArriving} onArrived={arrive} />
    </View>
  );
}

type ContentProps = CardProps & { isArriving: boolean };

function Content(props: ContentProps) {
  const { item } = props;
  switch (item.status) {
    case 'succeeded':
      return <Finished {...props} output={item.output[0]} count={item.output.length} />;
    case 'sending':
    case 'queued':
    case 'running':
    case 'waiting':
      return <Pending {...props} />;
    case 'refused':
    case 'failed':
    case 'canceled':
      return <Unsuccessful {...props} />;
    default:
      return item satisfies never;
  }
}

/** A real link: a keyboard can follow it, and a browser can open it in another tab.
 * Its accessible name contains the words that it shows. */
function Opening({ item, isWhole, said, children }: PropsWithChildren<{ item: Item; isWhole: boolean; said?: string }>) {
  const name = said ? `${promptOf(item)}, ${said}` : promptOf(item);
  return (
    <Link href={{ pathname: '/generation/[id]', params: { id: item.id } }} asChild>
      <Pressable aria-label={APP.of(CARD.open, name)} style={isWhole ? StyleSheet.absoluteFill : styles.words}>
        {children}
      </Pressable>
    </Link>
  );
}

function Finished({ item, output, count, url, isArriving, onArrived, onBroken }: ContentProps & { output: Output | undefined; count: number }) {
  const picture = pictureOf(output);
  const badge = badgeOf(output, count);
  const shown = [output?.kind === 'text' ? output.text : null, badge].filter((words) => words !== null);
  return (
    <Opening item={item} isWhole={picture !== undefined} said={shown.join(', ')}>
      {picture ? (
        <Picture
          url={url}
          cacheKey={picture.path}
          blurhash={output && isFile(output) && !isArriving ? output.blurhash : null}
          label={promptOf(item)}
          onShown={onArrived}
          onBroken={onBroken}
        />
      ) : (
        <InWords item={item} output={output} />
      )}
      {badge ? (
        <View style={picture ? styles.badge : null}>
          <Words kind="small" tone="muted" style={picture ? styles.onDark : null}>
            {badge}
          </Words>
        </View>
      ) : null}
    </Opening>
  );
}

/** A card without a picture: it shows a text output itself, and any other by its prompt. */
function InWords({ item, output }: { item: Item; output: Output | undefined }) {
  const isText = output?.kind === 'text';
  return (
    <>
      <Words kind={isText ? 'body' : 'label'} numberOfLines={8}>
        {isText ? output.text : promptOf(item)}
      </Words>
      {output ? null : (
        <Words kind="small" tone="muted">
          {NOT_SHOWN}
        </Words>
      )}
    </>
  );
}

/** The badge for facts that a still picture cannot show:
 * that it is a film or a sound, its duration, or that there are more outputs. */
function badgeOf(output: Output | undefined, count: number): string | null {
  if (output && isFile(output) && output.kind !== 'image') {
    const kind = output.kind === 'video' ? CARD.film : CARD.sound;
    return output.duration === null ? kind : CARD.lasting(kind, clock(output.duration));
  }
  return count > 1 ? CARD.firstOf(count) : null;
}

function Pending({ item, onCancel }: CardProps) {
  const progress = 'progress' in item ? item.progress : null;
  return (
    <View style={styles.pending}>
      <View style={styles.corner}>
        <SignButton sign="close" label={APP.of(APP.cancel, promptOf(item))} size={30} ground={SHADE} colour="#FFF" onPress={onCancel} />
      </View>
      <View style={styles.caption}>
        <Words kind="small" numberOfLines={2} style={styles.onDark}>
          {promptOf(item)}
        </Words>
        <Words kind="small" aria-live={progress === null ? 'polite' : 'off'} style={styles.status}>
          {statusLine(item)}
        </Words>
        {progress !== null ? <Progress share={progress} /> : null}
      </View>
    </View>
  );
}

function Progress({ share }: { share: number }) {
  const values = { 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': Math.round(share * 100) };
  return (
    <View accessible role="progressbar" aria-label={CARD.progress} {...values} style={styles.track}>
      <View style={[styles.fill, { width: `${share * 100}%` }]} />
    </View>
  );
}

function Unsuccessful({ item, onRetry, onEdit, onCredits, onDelete }: CardProps) {
  const theme = useTheme();
  const prompt = promptOf(item);
  const first = firstActionOf(item);
  return (
    <>
      <Opening item={item} isWhole={false} said={statusLine(item)}>
        <Words kind="label" numberOfLines={3} style={styles.besideSign}>
          {`${prompt} `}
        </Words>
        <Words kind="small" tone={item.status === 'canceled' ? 'muted' : 'danger'}>
          {statusLine(item)}
        </Words>
      </Opening>
      <View style={styles.actions}>
        {first === 'edit' ? <Button label={APP.edit} of={prompt} kind="primary" isSmall onPress={onEdit} /> : null}
        {first === 'credits' ? <Button label={APP.getCredits} of={prompt} kind="primary" isSmall onPress={onCredits} /> : null}
        <Button label={APP.retry} of={prompt} kind={first === 'retry' ? 'primary' : 'quiet'} isSmall onPress={onRetry} />
      </View>
      <View style={styles.corner}>
        <SignButton sign="close" label={APP.of(APP.delete, prompt)} size={30} colour={theme.muted} onPress={onDelete} />
      </View>
    </>
  );
}

// The dark ground of light words, readable on any of the colours below and in both themes.
const SHADE = 'rgba(20, 12, 6, 0.62)';

const styles = StyleSheet.create({
  card: { flexGrow: 1, borderRadius: round.m, overflow: 'hidden' },
  corner: { position: 'absolute', top: space.s, right: space.s },
  pending: { flexGrow: 1, justifyContent: 'flex-end', padding: space.s, paddingTop: 48 },
  caption: { padding: space.s + 2, borderRadius: round.s, backgroundColor: SHADE },
  badge: {
    position: 'absolute',
    left: space.s,
    bottom: space.s,
    paddingHorizontal: space.s,
    paddingVertical: 3,
    borderRadius: round.s,
    backgroundColor: SHADE,
  },
  onDark: { color: '#FFFFFF', fontWeight: '600' },
  status: { color: '#F3E6D8' },
  track: { height: 4, marginTop: 6, borderRadius: 2, backgroundColor: 'rgba(255, 255, 255, 0.25)', overflow: 'hidden' },
  fill: { height: 4, borderRadius: 2, backgroundColor: '#FFB066' },
  words: { flexGrow: 1, padding: space.m, gap: space.xs },
  besideSign: { paddingRight: space.xl },
  actions: { flexDirection: 'row', flexWrap: 'wrap', gap: space.s, padding: space.m, paddingTop: 0 },
});
