import { render, screen, userEvent } from '@testing-library/react-native';

import { item, sending } from '@/features/generations/samples';
import type { Item } from '@/features/generations/types';

import { GenerationCard } from './generation-card';

const actions = { onOpen: jest.fn(), onRetry: jest.fn(), onCancel: jest.fn(), onDelete: jest.fn(), onBroken: jest.fn() };
const show = (card: Item) => render(<GenerationCard item={card} url="https://x/0.png" {...actions} />);

beforeEach(() => jest.clearAllMocks());

test('a failed one shows the original prompt, the reason and Retry', async () => {
  await show(item('failed'));
  expect(screen.getByText('a fox')).toBeOnTheScreen();
  expect(screen.getByText(/isn’t allowed/)).toBeOnTheScreen();
  await userEvent.press(screen.getByRole('button', { name: 'Retry: a fox' }));
  expect(actions.onRetry).toHaveBeenCalledTimes(1);
});

test('out of credits says what to do', async () => {
  await show({ ...sending(), status: 'refused', code: 'insufficient_credits', message: 'Not enough credits.' });
  expect(screen.getByText('You’re out of credits. Add some, then tap Retry.')).toBeOnTheScreen();
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
  await userEvent.press(screen.getByRole('link', { name: 'Open: a fox' }));
  expect(actions.onOpen).toHaveBeenCalledTimes(1);
});
