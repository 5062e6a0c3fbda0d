/** Films and sounds. The first press creates a player:
 * a screen full of players would cost memory and sound at once. */

import { setAudioModeAsync, useAudioPlayer, useAudioPlayerStatus } from 'expo-audio';
import { useVideoPlayer, VideoView } from 'expo-video';
import { type PropsWithChildren, useEffect, useState } from 'react';
import { StyleSheet, View } from 'react-native';

import { APP } from '@/texts/app';

import { Button } from './button';
import { clock } from './clock';
import { space } from './theme';
import { Words } from './words';

interface FilmProps extends PropsWithChildren {
  url: string | undefined;
  label: string;
}

/** The children are the poster, which stays until the first frame is drawn. */
export function Film({ url, label, children }: FilmProps) {
  // Keep the URL of the press: another one, signed later, would restart the film.
  const [playing, play] = useState<string | null>(null);
  const [hasBegun, setBegun] = useState(false);
  return (
    <>
      {playing ? <Running url={playing} label={label} onBegin={() => setBegun(true)} /> : null}
      {hasBegun ? null : (
        <View style={[StyleSheet.absoluteFill, styles.centre]} pointerEvents={playing ? 'none' : 'auto'}>
          {children}
          {playing ? null : <Button label={APP.play} of={label} kind="primary" onPress={() => url && play(url)} />}
        </View>
      )}
    </>
  );
}

function Running({ url, label, onBegin }: { url: string; label: string; onBegin: () => void }) {
  const player = useVideoPlayer(url, (made) => {
    made.loop = true;
  });
  // Not in the setup: a browser's player ignores the call before its view exists.
  useEffect(() => player.play(), [player]);
  return (
    <VideoView
      player={player}
      contentFit="contain"
      nativeControls
      playsInline
      accessibilityLabel={label}
      onFirstFrameRender={onBegin}
      style={styles.film}
    />
  );
}

interface SoundProps {
  url: string | undefined;
  label: string;
  /** In seconds. */
  duration: number | null;
}

export function Sound({ url, label, duration }: SoundProps) {
  const [playing, play] = useState<string | null>(null);
  return (
    <View style={styles.sound}>
      {playing ? (
        <Sounding url={playing} label={label} />
      ) : (
        <Button label={APP.play} of={label} kind="primary" onPress={() => url && play(url)} />
      )}
      {duration === null ? null : <Words tone="muted">{clock(duration)}</Words>}
    </View>
  );
}

function Sounding({ url, label }: { url: string; label: string }) {
  const player = useAudioPlayer(url);
  const { playing, didJustFinish } = useAudioPlayerStatus(player);
  useEffect(() => {
    // Play a requested sound even on a phone in silent mode.
    void setAudioModeAsync({ playsInSilentMode: true }).catch(() => {});
    player.play();
  }, [player]);
  const press = () => {
    if (playing) return player.pause();
    if (didJustFinish) void player.seekTo(0);
    player.play();
  };
  return <Button label={playing ? APP.pause : APP.play} of={label} kind="primary" onPress={press} />;
}

const styles = StyleSheet.create({
  centre: { alignItems: 'center', justifyContent: 'center' },
  // A browser draws a video in its own size unless a size is given.
  film: { ...StyleSheet.absoluteFill, width: '100%', height: '100%' },
  sound: { flexDirection: 'row', alignItems: 'center', gap: space.m },
});
