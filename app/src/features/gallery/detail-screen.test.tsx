import { render, screen, userEvent } from '@testing-library/react-native';
import { useAudioPlayer } from 'expo-audio';
import { useVideoPlayer } from 'expo-video';

import { useGeneration } from '@/features/generations';
import { file, item } from '@/features/generations/samples';
import type { FileOutput, Item } from '@/features/generations/types';
import { sharePicture } from '@/lib/pictures';

import { DetailScreen } from './detail-screen';
import { draft } from './draft';

const mockDismissTo = jest.fn();
jest.mock('expo-router', () => ({ useRouter: () => ({ dismissTo: mockDismissTo }) }));
jest.mock('react-native-safe-area-context', () => ({ useSafeAreaInsets: () => ({ top: 0, bottom: 0 }) }));
jest.mock('./use-notice', () => ({ useNotice: () => null, report: jest.fn() }));
jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.mock('@/lib/pictures', () => ({ sharePicture: jest.fn(async () => {}) }));
jest.mock('@/features/generations', () => ({
  ...jest.requireActual('@/features/generations'),
  useActions: () => ({}),
  useGeneration: jest.fn(),
  useSignedUrl: ({ path }: FileOutput) => ({ url: `https://x/${path}`, renew: () => {} }),
}));

async function show(shown: Item) {
  jest.mocked(useGeneration).mockReturnValue({ item: shown, isLookingUp: false });
  await render(<DetailScreen id={shown.id} />);
}

test('every picture of a generation is shown and can be shared', async () => {
  const output = ['u/a/0.png', 'u/a/1.png'].map((path) => file(path));
  await show({ ...item('succeeded'), status: 'succeeded', output });
  expect(screen.getAllByLabelText('a fox')).toHaveLength(2);
  for (const button of screen.getAllByRole('button', { name: 'Share or save' })) await userEvent.press(button);
  expect(jest.mocked(sharePicture).mock.calls).toEqual([
    [{ url: 'https://x/u/a/0.png', name: 'a-0.png', mime: 'image/png' }],
    [{ url: 'https://x/u/a/1.png', name: 'a-1.png', mime: 'image/png' }],
  ]);
});

test('a film and a sound make no player before they are pressed, and a text is read as it is', async () => {
  const output = [
    file('u/a/0.mp4', { kind: 'video', thumb: 'u/a/0.thumb.webp' }),
    file('u/a/1.mp3', { kind: 'audio', duration: 65 }),
    { kind: 'text' as const, text: 'A fox, in words.' },
  ];
  await show({ ...item('succeeded'), status: 'succeeded', output });
  expect(screen.getByText('A fox, in words.')).toBeTruthy();
  expect(screen.getByText('1:05')).toBeTruthy();
  expect([useVideoPlayer, useAudioPlayer].map((hook) => jest.mocked(hook).mock.calls.length)).toEqual([0, 0]);
  for (const button of screen.getAllByRole('button', { name: 'Play: a fox' })) await userEvent.press(button);
  expect(jest.mocked(useVideoPlayer).mock.calls[0]?.[0]).toBe('https://x/u/a/0.mp4');
  expect(jest.mocked(useAudioPlayer).mock.calls[0]?.[0]).toBe('https://x/u/a/1.mp3');
  expect(screen.getByRole('button', { name: 'Pause: a fox' })).toBeTruthy();
});

test('outputs of kinds that this version does not know are said to be there', async () => {
  await show({ ...item('succeeded'), status: 'succeeded', output: [] });
  expect(screen.getByText(/cannot show it/)).toBeTruthy();
});

test('the prompt of a failed one goes back to the composer', async () => {
  await show(item('failed'));
  await userEvent.press(screen.getByRole('button', { name: 'Edit prompt' }));
  expect(draft.get()).toMatchObject({ prompt: 'a fox', model: 'preview' });
  expect(mockDismissTo).toHaveBeenCalledWith('/');
});
