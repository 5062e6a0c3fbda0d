/** The scale and the place of a picture. Pure; on a phone it also runs on the UI thread. */

export interface Zoom {
  scale: number;
  /** From the middle, in pixels. */
  x: number;
  y: number;
}

export interface Room {
  width: number;
  height: number;
}

export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };
const LARGEST = 5;

/** Move no farther than the edge of the picture. A worklet can call only functions above it. */
export function moveTo({ scale }: Zoom, x: number, y: number, { width, height }: Room): Zoom {
  'worklet';
  if (scale === 1) return WHOLE;
  const [right, down] = [((scale - 1) * width) / 2, ((scale - 1) * height) / 2];
  return { scale, x: Math.min(right, Math.max(-right, x)), y: Math.min(down, Math.max(-down, y)) };
}

/** Zoom, and keep the point under the finger in its place. */
export function zoomTo(from: Zoom, scale: number, at: { x: number; y: number }, room: Room): Zoom {
  'worklet';
  const wanted = Math.min(LARGEST, Math.max(1, scale));
  const grown = wanted / from.scale;
  const x = (at.x - room.width / 2) * (1 - grown) + from.x * grown;
  const y = (at.y - room.height / 2) * (1 - grown) + from.y * grown;
  return moveTo({ scale: wanted, x: 0, y: 0 }, x, y, room);
}

/** Return the direction in which a drag turned the pages; 0 if it was too short. */
export function turnOf(moved: number, velocity: number, width: number): 1 | -1 | 0 {
  'worklet';
  const reach = moved + velocity / 5;
  return reach < -width / 3 ? 1 : reach > width / 3 ? -1 : 0;
}
