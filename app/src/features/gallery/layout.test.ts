import { item, file, sending } from '@/features/generations/samples.test.data';
import type { Item, Model } from '@/features/generations/types';

import { columnsOf, GAP, layOut, near } from './layout';
import { ratioOf } from './ratio';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));

const cards = (...ratios: number[]) => ratios.map((ratio, index) => ({ id: String(index), ratio }));

test.each([[160, 1], [320, 2], [390, 2], [820, 3], [1440, 4], [1920, 5]])('%d pixels have %d columns', (width, columns) => {
  expect(columnsOf(width)).toBe(columns);
});

test('equal cards are read from left to right, the first on top at the left', () => {
  const { placed, height } = layOut(cards(1, 1, 1), 410);
  expect(placed.map(({ left, top }) => [left, top])).toEqual([[0, 0], [210, 0], [0, 210]]);
  expect(height).toBe(420);
});

test('a tall card keeps its proportion, and the next ones fill the other column', () => {
  const { placed } = layOut(cards(0.5, 1, 1, 2), 410);
  expect(placed.map(({ left, top, height }) => [left, top, height])).toEqual([
    [0, 0, 400],
    [210, 0, 200],
    [210, 210, 200],
    [0, 410, 100],
  ]);
});

test('words that need more room push down the cards below, and overlap none', () => {
  const { placed } = layOut([{ id: 'a', ratio: 1, least: 300 }, ...cards(1, 1, 1)], 410);
  const below = placed.find(({ left, top }) => left === 0 && top > 0);
  expect(below?.top).toBe(300 + GAP);
});

test('one card alone is as wide as a column', () => {
  expect(layOut(cards(1), 1440).placed[0]?.width).toBe(352);
});

test('only what is near the screen is drawn', () => {
  const { placed } = layOut(cards(...Array.from({ length: 60 }, () => 1)), 410);
  expect(near(placed, 0, 400, 0).length).toBe(4);
  expect(near(placed, 2100, 2500, 0).every(({ top }) => top >= 1890)).toBe(true);
});

const models = [
  { id: 'wide', title: '', description: '', kind: 'image', cost: 1, included: false, input_schema: { properties: { aspect_ratio: { type: 'string', default: '16:9' } } } },
] satisfies Model[];

const pending = (input: Item['input'], model = 'preview') => ({ ...sending(), input, model }) as Item;

test.each<[Item, number]>([
  [pending({ prompt: 'a' }), 1],
  [pending({ prompt: 'a', aspect_ratio: '3:2' }), 1.5],
  [pending({ prompt: 'a', size: '1024x1536' }), 2 / 3],
  [pending({ prompt: '16:9', width: 800, height: 400 }), 2],
  [pending({ prompt: 'a' }, 'wide'), 16 / 9],
  [pending({ prompt: 'a', aspect_ratio: '21:1' }), 2],
  [pending({ prompt: 'a', aspect_ratio: '0:1' }), 1],
])('%#: a placeholder has the proportion that the result will have', (card, ratio) => {
  expect(ratioOf(card, models, [])).toBeCloseTo(ratio);
});

test('without a word about it, the last result of the model says it', () => {
  const last = { ...item('succeeded'), status: 'succeeded' as const, output: [file('u/a/0.png', { width: 3, height: 4 })] };
  expect(ratioOf(pending({ prompt: 'a' }), models, [last as Item])).toBe(0.75);
  expect(ratioOf(last as Item, models, [])).toBe(0.75);
});
