/** One page fills the room; a swipe brings its neighbour, and two fingers, a wheel or a double tap make it larger. */

import { type ReactNode, type Ref, useEffect, useImperativeHandle, useRef, useState } from 'react';
import { Platform, StyleSheet, useWindowDimensions, View } from 'react-native';
import { Gesture, GestureDetector, GestureHandlerRootView } from 'react-native-gesture-handler';
import Animated, { useAnimatedStyle, useSharedValue, withTiming } from 'react-native-reanimated';
import { scheduleOnRN } from 'react-native-worklets';

import { useReducedMotion } from './motion';

export interface PagerHandle {
  /** One page on, or back. */
  step: (by: 1 | -1) => void;
  /** Larger above 1, smaller below it; 0 is the whole page again. */
  zoom: (factor: number) => void;
}

interface PagerProps {
  ref?: Ref<PagerHandle>;
  /** The page in the middle and its neighbours; null at an end. */
  pages: [previous: string | null, current: string, next: string | null];
  render: (page: string, isCurrent: boolean) => ReactNode;
  /** Words are read and marked; only a picture is enlarged. */
  kind: 'picture' | 'player' | 'words';
  onMove: (by: 1 | -1) => void;
}

const LARGEST = 5;
const DOUBLE_TAP = 2.5;
const TURN = 220; // milliseconds

export function Pager({ ref, pages, render, kind, onMove }: PagerProps) {
  const screen = useWindowDimensions();
  const isStill = useReducedMotion();
  const [room, setRoom] = useState({ width: screen.width, height: screen.height });
  // A page keeps its place for as long as it is drawn, so that nothing jumps when another becomes the middle one.
  const [place, setPlace] = useState(0);
  const [isLarge, setLarge] = useState(false);
  const [previous, current, next] = pages;
  const { width, height } = room;

  const track = useSharedValue(0);
  const scale = useSharedValue(1);
  const x = useSharedValue(0);
  const y = useSharedValue(0);
  const start = useSharedValue({ scale: 1, x: 0, y: 0 });

  /** Keeps the point under the finger where it is, and the page in the room. */
  const setZoom = (wanted: number, focalX: number, focalY: number, from: { scale: number; x: number; y: number }) => {
    'worklet';
    const next = Math.min(LARGEST, Math.max(1, wanted));
    const grown = next / from.scale;
    const [right, down] = [((next - 1) * width) / 2, ((next - 1) * height) / 2];
    const within = (value: number, bound: number) => Math.min(bound, Math.max(-bound, value));
    scale.set(next);
    x.set(within((focalX - width / 2) * (1 - grown) + from.x * grown, right));
    y.set(within((focalY - height / 2) * (1 - grown) + from.y * grown, down));
    if (next > 1 !== isLarge) scheduleOnRN(setLarge, next > 1);
  };
  const now = () => {
    'worklet';
    return { scale: scale.get(), x: x.get(), y: y.get() };
  };

  function step(by: 1 | -1): void {
    if (!(by > 0 ? next : previous)) return;
    [scale, x, y].forEach((value, index) => value.set(index === 0 ? 1 : 0));
    setLarge(false);
    setPlace(place + by);
    track.set(withTiming(-(place + by) * width, { duration: isStill ? 0 : TURN }));
    onMove(by);
  }
  useImperativeHandle(ref, () => ({
    step,
    zoom: (factor) => setZoom(factor === 0 ? 1 : scale.get() * factor, width / 2, height / 2, now()),
  }));
  useEffect(() => {
    track.set(-place * width);
    // Only when the room changes: a step moves it by itself.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [width]);

  const rest = -place * width;
  const drag = Gesture.Pan()
    .enabled(kind !== 'player' || Platform.OS !== 'web')
    .onStart(() => start.set(now()))
    .onUpdate(({ translationX, translationY }) => {
      const from = start.get();
      if (isLarge) return setZoom(from.scale, width / 2, height / 2, { ...from, x: from.x + translationX, y: from.y + translationY });
      const isEnd = translationX > 0 ? previous === null : next === null;
      track.set(rest + (isEnd ? translationX / 4 : translationX));
    })
    .onEnd(({ translationX, velocityX }) => {
      if (isLarge) return;
      const by = translationX + velocityX / 5 < -width / 3 ? 1 : translationX + velocityX / 5 > width / 3 ? -1 : 0;
      if (by !== 0 && (by > 0 ? next : previous) !== null) scheduleOnRN(step, by);
      else track.set(withTiming(rest, { duration: TURN }));
    });
  const gestures =
    kind === 'picture'
      ? Gesture.Simultaneous(
          isLarge ? drag.minDistance(2) : drag.activeOffsetX([-12, 12]),
          Gesture.Pinch()
            .onStart(() => start.set(now()))
            .onUpdate((pinch) => setZoom(start.get().scale * pinch.scale, pinch.focalX, pinch.focalY, start.get())),
          Gesture.Tap()
            .numberOfTaps(2)
            .onEnd((tap) => setZoom(isLarge ? 1 : DOUBLE_TAP, tap.x, tap.y, now())),
        )
      : drag.activeOffsetX([-20, 20]).failOffsetY([-14, 14]);

  const moved = useAnimatedStyle(() => ({ transform: [{ translateX: track.get() }] }));
  const zoomed = useAnimatedStyle(() => ({ transform: [{ translateX: x.get() }, { translateY: y.get() }, { scale: scale.get() }] }));
  const box = useWheel(kind === 'picture' ? (factor, px, py) => setZoom(scale.get() * factor, px, py, now()) : null);

  return (
    <GestureHandlerRootView style={styles.room}>
      <View ref={box} style={styles.room} onLayout={({ nativeEvent }) => setRoom(nativeEvent.layout)}>
        <GestureDetector gesture={gestures} userSelect={kind === 'words' ? 'text' : 'none'} touchAction={kind === 'picture' ? 'none' : 'pan-y'}>
          <Animated.View style={[styles.room, moved]}>
            {[previous, current, next].map((page, index) =>
              page === null ? null : (
                <Animated.View
                  key={page}
                  aria-hidden={index !== 1}
                  style={[StyleSheet.absoluteFill, { left: (place + index - 1) * width, right: undefined, width }, index === 1 ? zoomed : null]}
                >
                  {render(page, index === 1)}
                </Animated.View>
              ),
            )}
          </Animated.View>
        </GestureDetector>
      </View>
    </GestureHandlerRootView>
  );
}

type OnWheel = (factor: number, x: number, y: number) => void;

/** A mouse wheel, and two fingers on a trackpad, which a browser tells as a wheel. */
function useWheel(onWheel: OnWheel | null) {
  const box = useRef<View>(null);
  useEffect(() => {
    if (Platform.OS !== 'web' || !onWheel) return;
    const node = box.current as unknown as HTMLElement;
    const turn = (event: WheelEvent) => {
      event.preventDefault();
      const { left, top } = node.getBoundingClientRect();
      onWheel(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), event.clientX - left, event.clientY - top);
    };
    node.addEventListener('wheel', turn, { passive: false });
    return () => node.removeEventListener('wheel', turn);
  });
  return box;
}

const styles = StyleSheet.create({ room: { flex: 1, overflow: 'hidden' } });
