import { render, screen, userEvent } from '@testing-library/react-native';
import { useAudioPlayer } from 'expo-audio';
import { useVideoPlayer } from 'expo-video';

import { useGeneration } from '@/features/generations';
import { file, item } from '@/features/generations/samples.test.data';
import type { FileOutput, Item } from '@/features/generations/types';
import { savePicture, sharePicture } from '@/lib/pictures';

import { draft } from './draft';
import { PictureScreen } from './picture-screen';

const mockDismissTo = jest.fn();
const mockSetParams = jest.fn();
jest.mock('expo-router', () => ({
  useRouter: () => ({ dismissTo: mockDismissTo, setParams: mockSetParams, canGoBack: () => false, replace: jest.fn() }),
  useIsFocused: () => true,
}));
jest.mock('react-native-safe-area-context', () => ({ useSafeAreaInsets: () => ({ top: 0, bottom: 0 }) }));
jest.mock('./news', () => ({ News: () => null }));
jest.mock('./use-notice', () => ({ report: jest.fn() }));
jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.mock('@/lib/pictures', () => ({ sharePicture: jest.fn(async () => {}), savePicture: jest.fn(async () => true) }));
jest.mock('@/components/pager', () => ({
  Pager: ({ pages, render }: { pages: (string | null)[]; render: (page: string, isCurrent: boolean) => React.ReactNode }) =>
    render(pages[1] ?? '', true),
}));
const mockModels = [
  { id: 'preview', kind: 'image', input_schema: { properties: { prompt: { type: 'string' }, image: { type: 'string', format: 'image' } } } },
  { id: 'film', kind: 'video', input_schema: { properties: { photo: { type: 'array', format: 'image', maxItems: 2 } } } },
];
jest.mock('@/features/generations/api', () => ({
  ...jest.requireActual('@/features/generations/api'),
  photoUrl: jest.fn(async (path: string) => `https://x/${path}`),
}));
jest.mock('@/features/generations', () => ({
  ...jest.requireActual('@/features/generations'),
  useActions: () => ({}),
  useGallery: () => ({ items: mockItems, loadOlder: () => {} }),
  useGeneration: jest.fn(),
  useGenerate: () => jest.fn(),
  useModels: () => mockModels,
  useSignedUrl: (stored?: FileOutput) => ({ url: stored && `https://x/${stored.path}`, renew: () => {} }),
}));

let mockItems: Item[] = [];

async function show(shown: Item) {
  mockItems = [shown];
  jest.mocked(useGeneration).mockReturnValue({ item: shown, isLookingUp: false });
  await render(<PictureScreen id={shown.id} />);
}

test('every picture of a generation is shown and can be shared and saved', async () => {
  const output = ['u/a/0.png', 'u/a/1.png'].map((path) => file(path));
  await show({ ...item('succeeded'), status: 'succeeded', output });
  for (const number of [1, 2]) {
    await userEvent.press(screen.getByRole('tab', { name: `Result ${number} of 2` }));
    expect(screen.getByLabelText('a fox')).toBeTruthy();
    await userEvent.press(screen.getByRole('button', { name: 'Share' }));
    await userEvent.press(screen.getByRole('button', { name: 'Save to photos' }));
  }
  const pictures = [
    [{ url: 'https://x/u/a/0.png', name: 'a-0.png', mime: 'image/png' }],
    [{ url: 'https://x/u/a/1.png', name: 'a-1.png', mime: 'image/png' }],
  ];
  expect(jest.mocked(sharePicture).mock.calls).toEqual(pictures);
  expect(jest.mocked(savePicture).mock.calls).toEqual(pictures);
});

test.each([
  ['Use as start', { model: 'preview', values: { image: ['u/a/0.png'] } }],
  ['Animate this', { model: 'film', values: { photo: ['u/a/0.png'] } }],
])('%s fills the composer with the picture', async (name, wanted) => {
  await show({ ...item('succeeded'), status: 'succeeded', output: [file('u/a/0.png')] });
  await userEvent.press(screen.getByRole('button', { name }));
  expect(draft.get()).toMatchObject({ ...wanted, prompt: 'a fox' });
});

test('the words of a finished one can be changed, and its photo stays', async () => {
  await show({ ...item('succeeded'), input: { prompt: 'a fox', image: 'u/photo.jpg', num_outputs: 2 } });
  await userEvent.press(screen.getByRole('button', { name: 'Edit prompt' }));
  const values = { image: ['u/photo.jpg'], num_outputs: 2 };
  const photos = { image: [{ id: 'u/photo.jpg', path: 'u/photo.jpg', uri: 'https://x/u/photo.jpg' }] };
  expect(draft.get()).toMatchObject({ model: 'preview', prompt: 'a fox', values, photos });
});

test('a film and a sound make no player before they are pressed, and a text is read as it is', async () => {
  const output = [
    file('u/a/0.mp4', { kind: 'video', thumb: 'u/a/0.thumb.webp' }),
    file('u/a/1.mp3', { kind: 'audio', duration: 65 }),
    { kind: 'text' as const, text: 'A fox, in words.' },
  ];
  const turn = (number: number) => userEvent.press(screen.getByRole('tab', { name: `Result ${number} of 3` }));
  const play = () => userEvent.press(screen.getByRole('button', { name: 'Play: a fox' }));
  await show({ ...item('succeeded'), status: 'succeeded', output });
  await turn(2);
  expect(screen.getByText('1:05')).toBeTruthy();
  await turn(3);
  expect(screen.getByText('A fox, in words.')).toBeTruthy();
  expect([useVideoPlayer, useAudioPlayer].map((hook) => jest.mocked(hook).mock.calls.length)).toEqual([0, 0]);
  await turn(1);
  await play();
  expect(jest.mocked(useVideoPlayer).mock.calls[0]?.[0]).toBe('https://x/u/a/0.mp4');
  await turn(2);
  await play();
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
