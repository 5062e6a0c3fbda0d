import { render, screen, userEvent } from '@testing-library/react-native';

import { useGeneration } from '@/features/generations';
import { item } from '@/features/generations/samples';
import type { Item } from '@/features/generations/types';

import { DetailScreen } from './detail-screen';
import { draft } from './draft';

const mockDismissTo = jest.fn();
jest.mock('expo-router', () => ({ useRouter: () => ({ dismissTo: mockDismissTo }) }));
jest.mock('react-native-safe-area-context', () => ({ useSafeAreaInsets: () => ({ top: 0, bottom: 0 }) }));
jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.mock('@/lib/pictures', () => ({}));
jest.mock('@/features/generations', () => ({
  ...jest.requireActual('@/features/generations'),
  useActions: () => ({}),
  useGeneration: jest.fn(),
  useSignedUrl: (path: string) => ({ url: `https://x/${path}`, renew: () => {} }),
}));

async function show(shown: Item) {
  jest.mocked(useGeneration).mockReturnValue({ item: shown, isLookingUp: false });
  await render(<DetailScreen id={shown.id} />);
}

test('the prompt of a failed one goes back to the composer', async () => {
  await show(item('failed'));
  await userEvent.press(screen.getByRole('button', { name: 'Edit prompt' }));
  expect(draft.get()).toBe('a fox');
  expect(mockDismissTo).toHaveBeenCalledWith('/');
});
