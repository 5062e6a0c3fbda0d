import { render, screen } from '@testing-library/react-native';
import { type PropsWithChildren } from 'react';

import { Page } from '@/features/account/page';

import { Sheet } from './sheet';
import { Words } from './words';

jest.mock('react-native-safe-area-context', () => ({ useSafeAreaInsets: () => ({ top: 0, bottom: 0 }) }));
jest.mock('expo-router', () => ({ useRouter: () => ({}) }));
const mockAvoiding = jest.fn();
jest.mock('react-native-keyboard-controller', () => ({
  KeyboardAvoidingView: ({ children, behavior }: PropsWithChildren<{ behavior?: string }>) => {
    mockAvoiding(behavior);
    return children;
  },
}));

test.each([
  ['page', (content: React.ReactNode) => <Page title="T">{content}</Page>],
  ['sheet', (content: React.ReactNode) => <Sheet title="T" onClose={() => {}}>{content}</Sheet>],
])('a %s makes room for the keyboard on Android, too', async (_name, around) => {
  mockAvoiding.mockClear();
  await render(around(<Words>words</Words>));
  expect(screen.getByText('words')).toBeTruthy();
  expect(mockAvoiding).toHaveBeenCalledWith('padding');
});
