/** One output, as large as its page. */

import { ScrollView, StyleSheet, View } from 'react-native';

import { Picture } from '@/components/picture';
import { Film, Sound } from '@/components/player';
import { space } from '@/components/theme';
import { Words } from '@/components/words';
import { type FileOutput, isFile, type Output, pictureOf, useSignedUrl } from '@/features/generations';

interface ResultProps {
  output: Output;
  label: string;
  /** False for a neighbour, which has no player. */
  isCurrent: boolean;
}

export function Result({ output, label, isCurrent }: ResultProps) {
  if (isFile(output)) return <StoredResult {...{ output, label, isCurrent }} />;
  return (
    <ScrollView contentContainerStyle={styles.text}>
      <Words selectable style={styles.lines}>
        {output.text}
      </Words>
    </ScrollView>
  );
}

function StoredResult({ output, label, isCurrent }: ResultProps & { output: FileOutput }) {
  const { url, renew } = useSignedUrl(output);
  const small = pictureOf(output);
  const { url: smallUrl, renew: renewSmall } = useSignedUrl(small);
  if (output.kind === 'audio') {
    return (
      <View style={styles.centre}>
        {isCurrent ? <Sound url={url} label={label} duration={output.duration} /> : null}
      </View>
    );
  }
  const shown = { blurhash: output.blurhash, label, fit: 'contain' as const };
  if (output.kind === 'image') return <Picture {...shown} url={url} small={smallUrl} cacheKey={output.path} onBroken={renew} />;
  const poster = <Picture {...shown} blurhash={null} url={smallUrl} cacheKey={small?.path ?? output.path} onBroken={renewSmall} />;
  return isCurrent ? (
    <Film url={url} label={label}>
      {poster}
    </Film>
  ) : (
    poster
  );
}

const styles = StyleSheet.create({
  text: { flexGrow: 1, justifyContent: 'center', padding: space.xl },
  lines: { maxWidth: 560, alignSelf: 'center', fontSize: 18, lineHeight: 28 },
  centre: { flex: 1, alignItems: 'center', justifyContent: 'center' },
});
