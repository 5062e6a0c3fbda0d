import { moveTo, turnOf, WHOLE, zoomTo } from './zoom';

const room = { width: 400, height: 800 };
const middle = { x: 200, y: 400 };

test('the point under the finger stays', () => {
  const { x: right, y: down } = zoomTo(WHOLE, 2, middle, room);
  expect([right, down].map(Math.abs)).toEqual([0, 0]);
  const { x, y } = zoomTo(WHOLE, 2, { x: 300, y: 300 }, room);
  // The point is drawn at twice its distance from the middle, and moved back by as much.
  expect([2 * (300 - 200) + x, 2 * (300 - 400) + y]).toEqual([100, -100]);
});

test('no edge comes into the room, and nothing is smaller than the room', () => {
  expect(moveTo({ scale: 2, x: 0, y: 0 }, 900, -900, room)).toEqual({ scale: 2, x: 200, y: -400 });
  expect(zoomTo({ scale: 2, x: 200, y: 0 }, 0.5, middle, room)).toEqual(WHOLE);
  expect(zoomTo(WHOLE, 99, middle, room).scale).toBe(5);
});

test('a long drag or a quick one turns the page', () => {
  expect([turnOf(-150, 0, 400), turnOf(-40, -900, 400), turnOf(150, 0, 400), turnOf(60, 100, 400)]).toEqual([1, 1, -1, 0]);
});
