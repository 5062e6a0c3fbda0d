import { render, screen, userEvent } from '@testing-library/react-native';

import { file, item, sending } from '@/features/generations/samples.test.data';
import type { Item } from '@/features/generations/types';

import { GenerationCard } from './generation-card';
import { paintOf } from './glow';

jest.mock('expo-router', () => ({ Link: ({ children }: { children: React.ReactElement }) => children }));

const actions = {
  ...{ onRetry: jest.fn(), onEdit: jest.fn(), onCredits: jest.fn(), onCancel: jest.fn() },
  ...{ onDelete: jest.fn(), onBroken: jest.fn(), onArrived: jest.fn() },
};
const card = (shown: Item) => <GenerationCard item={shown} url="https://x/0.png" {...actions} />;
const show = (shown: Item) => render(card(shown));
const refused = (code: string): Item => ({ ...sending(), status: 'refused', code, message: 'No.' });

beforeEach(() => jest.clearAllMocks());

test('a failed one shows the original prompt, the reason and Retry', async () => {
  await show(item('failed'));
  expect(screen.getByText('a fox')).toBeOnTheScreen();
  expect(screen.getByText(/isn’t allowed/)).toBeOnTheScreen();
  await userEvent.press(screen.getByRole('button', { name: 'Retry: a fox' }));
  expect(actions.onRetry).toHaveBeenCalledTimes(1);
});

test('what helps comes first: other words, or credits', async () => {
  const { rerender } = await show(item('failed'));
  await userEvent.press(screen.getByRole('button', { name: 'Edit: a fox' }));
  expect(actions.onEdit).toHaveBeenCalledTimes(1);
  await rerender(card(refused('insufficient_credits')));
  expect(screen.getByText('You’re out of credits. Add some, then tap Retry.')).toBeOnTheScreen();
  expect(screen.getAllByRole('button')[0]).toHaveAccessibleName('Get credits: a fox');
  await userEvent.press(screen.getByRole('button', { name: 'Get credits: a fox' }));
  expect(actions.onCredits).toHaveBeenCalledTimes(1);
});

test('one under way shows how far it is and can be canceled', async () => {
  await show(item('waiting', { progress: 0.42 }));
  expect(screen.getByRole('progressbar')).toHaveAccessibilityValue({ now: 42, min: 0, max: 100 });
  await userEvent.press(screen.getByRole('button', { name: 'Cancel: a fox' }));
  expect(actions.onCancel).toHaveBeenCalledTimes(1);
});

test('one without progress shows none', async () => {
  await show(item('queued'));
  expect(screen.queryByRole('progressbar')).not.toBeOnTheScreen();
});

test('a finished one opens, and its name is its prompt', async () => {
  await show(item('succeeded'));
  expect(screen.getByLabelText('Open: a fox')).toBeOnTheScreen();
});

test('a sound without a picture says what it is', async () => {
  const output = [file('u/a/0.mp3', { kind: 'audio', duration: 65 })];
  await show({ ...item('succeeded'), status: 'succeeded', output } as Item);
  expect(screen.getByText('Sound 1:05')).toBeOnTheScreen();
});

test('the placeholder is the same for the same prompt, and far from that of another', () => {
  const prompts = Array.from({ length: 200 }, (_, number) => `Picture ${number}`);
  expect(paintOf('a fox')).toEqual(paintOf('a fox'));
  expect(new Set(prompts.map((prompt) => JSON.stringify(paintOf(prompt)))).size).toBe(200);
  const hues = prompts.map((prompt) => Number(/hsl\((\d+)/.exec(String(paintOf(prompt).backgroundColor))?.[1]));
  const thirds = [0, 120, 240].map((from) => hues.filter((hue) => hue >= from && hue < from + 120).length);
  expect(Math.min(...thirds)).toBeGreaterThan(40);
});
