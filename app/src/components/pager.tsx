/** One page fills the room.
 * A swipe brings its neighbour, and two fingers or a double tap enlarge it. */

import { useEffect, useImperativeHandle, useState } from 'react';
import { StyleSheet, useWindowDimensions, View } from 'react-native';
import { Gesture, GestureDetector, GestureHandlerRootView } from 'react-native-gesture-handler';
import Animated, { useAnimatedStyle, useSharedValue, withTiming } from 'react-native-reanimated';
import { scheduleOnRN } from 'react-native-worklets';

import { useReducedMotion } from './motion';
import { DOUBLE_TAP, type PagerProps, TURN, usePlace } from './pager-props';
import { moveTo, turnOf, WHOLE, type Zoom, zoomTo } from './zoom';

export function Pager({ ref, pages, render, kind, onMove }: PagerProps) {
  const screen = useWindowDimensions();
  const isStill = useReducedMotion();
  const [room, setRoom] = useState({ width: screen.width, height: screen.height });
  const [isLarge, setLarge] = useState(false);
  const [previous, current, next] = pages;
  const { place, expectAt } = usePlace(current);
  const { width } = room;
  const track = useSharedValue(0);
  const view = useSharedValue(WHOLE);
  const start = useSharedValue(WHOLE);

  const show = (zoom: Zoom) => {
    'worklet';
    view.set(zoom);
    if (zoom.scale > 1 !== isLarge) scheduleOnRN(setLarge, zoom.scale > 1);
  };
  function step(by: 1 | -1): void {
    const page = by > 0 ? next : previous;
    if (!page) return;
    show(WHOLE);
    expectAt(page, place + by);
    track.set(withTiming(-(place + by) * width, { duration: isStill ? 0 : TURN }));
    onMove(by);
  }
  const middle = { x: room.width / 2, y: room.height / 2 };
  useImperativeHandle(ref, () => ({
    step,
    zoom: (factor) => show(factor === 0 ? WHOLE : zoomTo(view.get(), view.get().scale * factor, middle, room)),
  }));
  useEffect(() => {
    track.set(-place * width);
    // Run only when the width changes: a step moves the pages itself.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [width]);

  const rest = -place * width;
  const [isFirst, isLast] = [previous === null, next === null];
  const drag = Gesture.Pan()
    .onStart(() => start.set(view.get()))
    .onUpdate(({ translationX, translationY }) => {
      const from = start.get();
      if (isLarge) return view.set(moveTo(from, from.x + translationX, from.y + translationY, room));
      const isEnd = translationX > 0 ? isFirst : isLast;
      track.set(rest + (isEnd ? translationX / 4 : translationX));
    })
    .onEnd(({ translationX, velocityX }) => {
      if (isLarge) return;
      const by = turnOf(translationX, velocityX, width);
      if (by !== 0 && !(by > 0 ? isLast : isFirst)) scheduleOnRN(step, by);
      else track.set(withTiming(rest, { duration: TURN }));
    });
  const pinch = Gesture.Pinch()
    .onStart(() => start.set(view.get()))
    .onUpdate(({ scale, focalX, focalY }) => show(zoomTo(start.get(), start.get().scale * scale, { x: focalX, y: focalY }, room)));
  const tap = Gesture.Tap()
    .numberOfTaps(2)
    .onEnd((at) => show(zoomTo(view.get(), isLarge ? 1 : DOUBLE_TAP, at, room)));
  const gestures =
    kind === 'picture'
      ? Gesture.Simultaneous(isLarge ? drag.minDistance(2) : drag.activeOffsetX([-12, 12]), pinch, tap)
      : drag.activeOffsetX([-20, 20]).failOffsetY([-14, 14]);

  const moved = useAnimatedStyle(() => ({ transform: [{ translateX: track.get() }] }));
  const zoomed = useAnimatedStyle(() => {
    const { x, y, scale } = view.get();
    return { transform: [{ translateX: x }, { translateY: y }, { scale }] };
  });
  return (
    <GestureHandlerRootView style={styles.room}>
      <View style={styles.room} onLayout={({ nativeEvent }) => setRoom(nativeEvent.layout)}>
        <GestureDetector gesture={gestures}>
          <Animated.View style={[styles.track, moved]}>
            {pages.map((page, index) =>
              page === null ? null : (
                <Animated.View
                  key={page}
                  aria-hidden={index !== 1}
                  style={[styles.page, { left: (place + index - 1) * width, width }, index === 1 ? zoomed : null]}
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

const styles = StyleSheet.create({
  room: { flex: 1, overflow: 'hidden' },
  track: { flex: 1 },
  page: { position: 'absolute', top: 0, bottom: 0 },
});
