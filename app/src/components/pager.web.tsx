/** The pager of a browser, by pointer events alone.
 * The gesture libraries of a phone would be a third of the page's JavaScript. */

import { useEffect, useImperativeHandle, useLayoutEffect, useRef } from 'react';
import { StyleSheet, View } from 'react-native';

import { useReducedMotion } from './motion';
import { DOUBLE_TAP, type PagerProps, TURN, usePlace } from './pager-props';
import { moveTo, turnOf, WHOLE, type Zoom, zoomTo } from './zoom';

const BEGINS_AFTER = 8; // pixels: a press that moves less is no drag

export function Pager({ ref, pages, render, kind, onMove }: PagerProps) {
  const isStill = useReducedMotion();
  const [previous, current, next] = pages;
  const { place, expectAt } = usePlace(current);
  const box = useRef<View>(null);
  const track = useRef<View>(null);
  const middle = useRef<View>(null);
  const view = useRef(WHOLE);

  const show = (zoom: Zoom) => {
    view.current = zoom;
    styleOf(middle.current).transform = `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})`;
  };
  const slide = (to: number, pixels: number, isSmooth: boolean) => {
    const style = styleOf(track.current);
    style.transition = isSmooth && !isStill ? `transform ${TURN}ms ease-out` : 'none';
    style.transform = `translateX(calc(${-to * 100}% + ${pixels}px))`;
  };
  function step(by: 1 | -1): void {
    const page = by > 0 ? next : previous;
    if (!page) return;
    show(WHOLE);
    expectAt(page, place + by);
    slide(place + by, 0, true);
    onMove(by);
  }
  const roomOf = () => (box.current as unknown as HTMLElement).getBoundingClientRect();
  const zoomBy = (factor: number, at?: { x: number; y: number }) => {
    const room = roomOf();
    const point = at ? { x: at.x - room.left, y: at.y - room.top } : { x: room.width / 2, y: room.height / 2 };
    if (kind === 'picture') show(zoomTo(view.current, view.current.scale * factor, point, room));
  };
  useImperativeHandle(ref, () => ({ step, zoom: zoomBy }));
  useLayoutEffect(() => {
    slide(place, 0, true);
    // Run only when a page took its place: a step slides the pages itself.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [place]);
  useLayoutEffect(() => {
    view.current = WHOLE;
  }, [current]);

  useEffect(() => {
    const node = box.current as unknown as HTMLElement;
    const held = new Map<number, { x: number; y: number }>();
    let began = { zoom: WHOLE, points: [] as { x: number; y: number }[], at: 0 };
    let pixels = 0;
    const begin = () => (began = { zoom: view.current, points: [...held.values()], at: performance.now() });

    const listeners: { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void } = {
      pointerdown: (event) => {
        const isForOthers = (event.target as Element).closest('button, a, video') || (kind === 'words' && event.pointerType === 'mouse');
        if (isForOthers || event.button > 0) return;
        held.set(event.pointerId, { x: event.clientX, y: event.clientY });
        begin();
      },
      pointermove: (event) => {
        if (!held.has(event.pointerId)) return;
        held.set(event.pointerId, { x: event.clientX, y: event.clientY });
        const [one, other] = held.values();
        const [first, second] = began.points;
        if (!one || !first) return;
        const [dx, dy] = [one.x - first.x, one.y - first.y];
        if (pixels === 0 && !other && Math.hypot(dx, dy) < BEGINS_AFTER) return;
        node.setPointerCapture(event.pointerId);
        const room = roomOf();
        if (other && second && kind === 'picture') {
          const grown = Math.hypot(one.x - other.x, one.y - other.y) / Math.hypot(first.x - second.x, first.y - second.y);
          const at = { x: (one.x + other.x) / 2 - room.left, y: (one.y + other.y) / 2 - room.top };
          show(zoomTo(began.zoom, began.zoom.scale * grown, at, room));
        } else if (view.current.scale > 1) {
          show(moveTo(began.zoom, began.zoom.x + dx, began.zoom.y + dy, room));
        } else {
          pixels = (dx > 0 ? previous : next) === null ? dx / 4 : dx;
          slide(place, pixels, false);
        }
      },
      pointerup: (event) => release(event),
      pointercancel: (event) => release(event),
      dblclick: (event) => {
        if (kind === 'picture') zoomBy(view.current.scale > 1 ? 0 : DOUBLE_TAP, { x: event.clientX, y: event.clientY });
      },
      // A browser reports a pinch on a trackpad as a wheel event with Ctrl.
      wheel: (event) => {
        if (kind !== 'picture') return;
        event.preventDefault();
        zoomBy(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), { x: event.clientX, y: event.clientY });
      },
      dragstart: (event) => event.preventDefault(),
    };
    function release(event: PointerEvent): void {
      if (!held.delete(event.pointerId)) return;
      const by = turnOf(pixels, (pixels / Math.max(1, performance.now() - began.at)) * 1000, roomOf().width);
      const isDrag = pixels !== 0;
      pixels = 0;
      begin();
      if (!isDrag) return;
      if (by !== 0 && (by > 0 ? next : previous)) step(by);
      else slide(place, 0, true);
    }
    const entries = Object.entries(listeners) as [string, EventListener][];
    entries.forEach(([name, listener]) => node.addEventListener(name, listener, { passive: false }));
    return () => entries.forEach(([name, listener]) => node.removeEventListener(name, listener));
  });

  return (
    <View ref={box} style={[styles.room, kind === 'picture' ? styles.picture : styles.other]}>
      <View ref={track} style={styles.track}>
        {pages.map((page, index) =>
          page === null ? null : (
            <View key={page} ref={index === 1 ? middle : null} aria-hidden={index !== 1} style={[styles.page, { left: `${(place + index - 1) * 100}%` }]}>
              {render(page, index === 1)}
            </View>
          ),
        )}
      </View>
    </View>
  );
}

const styleOf = (view: View | null) => (view as unknown as HTMLElement).style;

const styles = StyleSheet.create({
  room: { flex: 1, overflow: 'hidden' },
  picture: { touchAction: 'none', userSelect: 'none', cursor: 'zoom-in' } as object,
  other: { touchAction: 'pan-y' } as object,
  track: { flex: 1 },
  page: { position: 'absolute', top: 0, bottom: 0, width: '100%' },
});
