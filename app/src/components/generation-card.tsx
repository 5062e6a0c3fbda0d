/** One generation on the wall. The card stays while its content changes, so nothing jumps. */

import { Pressable, StyleSheet, View } from 'react-native';

import { NOT_SHOWN, statusLine } from '@/features/generations/messages';
import { isFile, type Item, type Output, pictureOf, promptOf } from '@/features/generations/types';

import { Button, SignButton } from './button';
import { Glow } from './glow';
import { Picture } from './picture';
import { clock } from './clock';
import { round, space, useTheme } from './theme';
import { Words } from './words';

interface CardProps {
  item: Item;
  url: string | undefined;
  onOpen: () => void;
  onRetry: () => void;
  onCancel: () => void;
  onDelete: () => void;
  onBroken: () => void;
}

export function GenerationCard(props: CardProps) {
  const theme = useTheme();
  return (
    <View testID={`card-${props.item.id}`} style={[styles.card, { backgroundColor: theme.raised }]}>
      {content(props)}
    </View>
  );
}

function content(props: CardProps) {
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

interface FinishedProps extends CardProps {
  output: Output | undefined;
  count: number;
}

function Finished({ item, output, count, url, onBroken, onOpen }: FinishedProps) {
  const picture = pictureOf(output);
  const badge = badgeOf(output, count);
  return (
    <Pressable
      role="link"
      aria-label={`Open: ${promptOf(item)}`}
      onPress={onOpen}
      style={({ pressed }) => [StyleSheet.absoluteFill, { opacity: pressed ? 0.85 : 1 }]}
    >
      {picture ? (
        <Picture
          url={url}
          cacheKey={picture.path}
          blurhash={output && isFile(output) ? output.blurhash : null}
          label={promptOf(item)}
          onBroken={onBroken}
        />
      ) : (
        <InWords item={item} output={output} />
      )}
      {badge ? (
        <View style={styles.badge}>
          <Words kind="small" style={styles.captionPrompt}>
            {badge}
          </Words>
        </View>
      ) : null}
    </Pressable>
  );
}

/** What has no picture: a text is shown itself, anything else by its prompt. */
function InWords({ item, output }: { item: Item; output: Output | undefined }) {
  const isText = output?.kind === 'text';
  return (
    <View style={styles.words}>
      <Words kind={isText ? 'body' : 'label'} numberOfLines={7}>
        {isText ? output.text : promptOf(item)}
      </Words>
      {output ? null : (
        <Words kind="small" tone="muted">
          {NOT_SHOWN}
        </Words>
      )}
    </View>
  );
}

/** What a still picture cannot say: that it moves or sounds, for how long, or that there are more. */
function badgeOf(output: Output | undefined, count: number): string | null {
  if (output && isFile(output) && output.kind !== 'image') {
    const kind = output.kind === 'video' ? 'Film' : 'Sound';
    return output.duration === null ? kind : `${kind} ${clock(output.duration)}`;
  }
  return count > 1 ? `1 of ${count}` : null;
}

function Pending({ item, onCancel }: CardProps) {
  const progress = 'progress' in item ? item.progress : null;
  return (
    <>
      <Glow prompt={promptOf(item)} />
      <View style={styles.corner}>
        <SignButton sign="close" label={`Cancel: ${promptOf(item)}`} size={30} ground="rgba(20, 12, 6, 0.55)" colour="#FFF" onPress={onCancel} />
      </View>
      <View style={styles.caption}>
        <Words kind="small" numberOfLines={2} style={styles.captionPrompt}>
          {promptOf(item)}
        </Words>
        <Words kind="small" aria-live={progress === null ? 'polite' : 'off'} numberOfLines={2} style={styles.captionStatus}>
          {statusLine(item)}
        </Words>
        {progress !== null ? (
          <View
            accessible
            role="progressbar"
            aria-label="Progress"
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(progress * 100)}
            style={styles.track}
          >
            <View style={[styles.fill, { width: `${progress * 100}%` }]} />
          </View>
        ) : null}
      </View>
    </>
  );
}

function Unsuccessful({ item, onOpen, onRetry, onDelete }: CardProps) {
  const theme = useTheme();
  return (
    <>
      <Pressable role="link" aria-label={`Open: ${promptOf(item)}, ${statusLine(item)}`} onPress={onOpen} style={styles.words}>
        <Words kind="label" numberOfLines={2} style={styles.besideSign}>
          {`${promptOf(item)} `}
        </Words>
        <Words kind="small" numberOfLines={3} tone={item.status === 'canceled' ? 'muted' : 'danger'}>
          {statusLine(item)}
        </Words>
      </Pressable>
      <View style={styles.actions}>
        <Button label="Retry" of={promptOf(item)} kind="primary" isSmall onPress={onRetry} />
      </View>
      <View style={styles.corner}>
        <SignButton sign="close" label={`Delete: ${promptOf(item)}`} size={30} colour={theme.muted} onPress={onDelete} />
      </View>
    </>
  );
}

const styles = StyleSheet.create({
  card: { flex: 1, borderRadius: round.m, overflow: 'hidden' },
  corner: { position: 'absolute', top: space.s, right: space.s },
  caption: {
    position: 'absolute',
    left: space.s,
    right: space.s,
    bottom: space.s,
    padding: space.s + 2,
    borderRadius: round.s,
    // Light words on any of the colours below: the ground is dark in both themes.
    backgroundColor: 'rgba(20, 12, 6, 0.62)',
  },
  badge: {
    position: 'absolute',
    left: space.s,
    bottom: space.s,
    paddingHorizontal: space.s,
    paddingVertical: 3,
    borderRadius: round.s,
    backgroundColor: 'rgba(20, 12, 6, 0.62)',
  },
  captionPrompt: { color: '#FFFFFF', fontWeight: '600' },
  captionStatus: { color: '#F3E6D8' },
  track: { height: 4, marginTop: 6, borderRadius: 2, backgroundColor: 'rgba(255, 255, 255, 0.25)', overflow: 'hidden' },
  fill: { height: 4, borderRadius: 2, backgroundColor: '#FFB066' },
  words: { flex: 1, padding: space.m, gap: space.xs },
  besideSign: { paddingRight: space.xl },
  actions: { flexDirection: 'row', padding: space.m, paddingTop: 0 },
});
