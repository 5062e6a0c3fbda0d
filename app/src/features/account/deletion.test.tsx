import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { renderHook } from '@testing-library/react-native';
import type { PropsWithChildren } from 'react';

import { forgetUser } from '@/features/generations';
import { keysOnDisk, writeDisk } from '@/lib/disk';
import { session } from '@/lib/session';
import { supabase } from '@/lib/supabase';

import { deleteAccount, useDeletion } from './deletion';

const mockSignOut = jest.fn();
jest.mock('@/lib/session', () => ({ ...jest.requireActual('@/lib/session'), signOut: () => mockSignOut() }));
const mockRpc = jest.fn();
jest.mock('@/lib/supabase', () => ({
  supabase: {
    auth: { getSession: async () => ({ data: { session: { user: { id: 'another' }, access_token: 't' } } }) },
    rpc: (name: string) => mockRpc(name),
  },
}));

const client = new QueryClient();
const wrapper = ({ children }: PropsWithChildren) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
const ON_DISK = {
  ...{ 'gallery.u': '[]', 'gallery.before': '[]', urls: '{}', deleting: '"u"' },
  ...{ 'code.save': '{"email":"a@b.c","at":1}', 'unreadable.outbox.1': '{"userId":"u"}' },
};

beforeEach(() => {
  localStorage.clear();
  mockSignOut.mockReset();
  Object.entries(ON_DISK).forEach(([key, value]) => localStorage.setItem(`pilotlight.1.${key}`, value));
});

test('an app that died during a deletion signs out when the server no longer knows the user', async () => {
  session.set({ userId: 'u', isReady: false, isLost: true });
  await renderHook(useDeletion, { wrapper });
  expect(mockSignOut).toHaveBeenCalledTimes(1);
});

test('and then forgets what this phone keeps of the user', async () => {
  session.set({ userId: 'next', isReady: true });
  await renderHook(useDeletion, { wrapper });
  expect(keysOnDisk('')).toEqual([]);
});

test('what arrives for the user afterwards does not bring it back', async () => {
  const deleted = '01a21938-7f5a-7bad-9d14-bf94e7d52d31';
  session.set({ userId: 'next', isReady: true });
  forgetUser(client, deleted);
  writeDisk(`gallery.${deleted}`, []);
  writeDisk('urls', { [`${deleted}/a/0.png`]: { url: 'https://x', expiresAt: 1 } });
  writeDisk('gallery.next', []);
  expect(keysOnDisk('gallery.')).toEqual(['gallery.next']);
  expect(keysOnDisk('urls')).toEqual([]);
});

test('a deletion that has not happened yet forgets nothing', async () => {
  session.set({ userId: 'u', isReady: true });
  await renderHook(useDeletion, { wrapper });
  expect(localStorage.length).toBe(Object.keys(ON_DISK).length);
  expect(mockSignOut).not.toHaveBeenCalled();
});

test('the account of a user who signed in since in another tab is not deleted', async () => {
  expect(await deleteAccount(supabase, 'u')).toBe(false);
  expect(mockRpc).not.toHaveBeenCalled();
});
