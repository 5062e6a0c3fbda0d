import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen, userEvent } from '@testing-library/react-native';

import { session } from '@/lib/session';
import { ACCOUNT } from '@/texts/account';

import { AccountSection } from './account-section';

const mockCalls: string[] = [];
jest.mock('@/lib/supabase', () => ({ supabase: { auth: {} } }));
jest.mock('./use-push', () => ({
  unregister: () => {
    mockCalls.push('unregister');
    return new Promise(() => {});
  },
}));
jest.mock('@/lib/session', () => ({ ...jest.requireActual('@/lib/session'), signOut: async () => void mockCalls.push('sign out') }));

test('a sign-out takes this phone off the list for pushes first, and does not wait for it', async () => {
  session.set({ userId: 'u', isReady: true, email: 'fox@example.com' });
  await render(<AccountSection />, { wrapper: ({ children }) => <QueryClientProvider client={new QueryClient()}>{children}</QueryClientProvider> });
  for (let turn = 0; turn < 2; turn += 1) await userEvent.press(screen.getByRole('button', { name: ACCOUNT.signOut }));
  expect(mockCalls).toEqual(['unregister', 'sign out']);
});
