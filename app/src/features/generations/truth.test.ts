import { QueryClient } from '@tanstack/react-query';

import { readJobs, readPage, readUnfinished } from './api';
import { accountKey, galleryKey, galleryOf } from './cache';
import { EMPTY } from './merge';
import { item, job } from './samples';
import { poll, readTruth } from './truth';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.mock('./api', () => ({
  ...jest.requireActual('./api'),
  readJobs: jest.fn(),
  readPage: jest.fn(),
  readUnfinished: jest.fn(),
}));

let client: QueryClient;
const isBalanceOld = () => client.getQueryState(accountKey('u'))?.isInvalidated;

beforeEach(() => {
  localStorage.clear();
  client = new QueryClient({ defaultOptions: { queries: { gcTime: Infinity } } });
  client.setQueryData(galleryKey('u'), { ...EMPTY, items: [item('running')] });
  client.setQueryData(accountKey('u'), { credits: 4, is_paid: false });
  jest.mocked(readUnfinished).mockResolvedValue([]);
  jest.mocked(readJobs).mockResolvedValue([]);
  jest.mocked(readPage).mockResolvedValue({ items: [], cursor: null });
});

test('an end that the truth tells makes the balance old: there may be a refund', async () => {
  jest.mocked(readPage).mockResolvedValue({ items: [item('failed')], cursor: null });
  expect((await readTruth(client, 'u')).items[0]?.status).toBe('failed');
  expect(isBalanceOld()).toBe(true);
});

test('a success only settles what is paid already: the balance is not read again', async () => {
  jest.mocked(readPage).mockResolvedValue({ items: [item('succeeded')], cursor: null });
  await readTruth(client, 'u');
  expect(isBalanceOld()).toBe(false);
});

test('a success that is the first news of its job makes the balance old: it was paid for', async () => {
  jest.mocked(readPage).mockResolvedValue({ items: [item('succeeded', { id: 'b' })], cursor: null });
  await readTruth(client, 'u');
  expect(isBalanceOld()).toBe(true);
});

test('what is under way and on neither list is asked for by its id', async () => {
  jest.mocked(readJobs).mockResolvedValue([job('succeeded')]);
  expect((await readTruth(client, 'u')).items[0]?.status).toBe('succeeded');
  expect(readJobs).toHaveBeenCalledWith(['a']);
});

test('an end that a poll tells makes the balance old, once', async () => {
  jest.mocked(readJobs).mockResolvedValue([job('failed')]);
  await poll(client, 'u');
  expect(galleryOf(client, 'u').items[0]?.status).toBe('failed');
  expect(isBalanceOld()).toBe(true);
  client.setQueryData(accountKey('u'), { credits: 5, is_paid: false });
  await poll(client, 'u');
  expect(isBalanceOld()).toBe(false);
});
