import { QueryClient } from '@tanstack/react-query';

import { type Page, readGallery, readJobs } from './api';
import { accountKey, galleryKey, galleryOf } from './cache';
import { EMPTY } from './merge';
import { item, job } from './samples.test.data';
import { poll, readTruth } from './truth';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.mock('./api', () => ({
  ...jest.requireActual('./api'),
  readJobs: jest.fn(),
  readGallery: jest.fn(),
}));

let client: QueryClient;
const isBalanceOld = () => client.getQueryState(accountKey('u'))?.isInvalidated;

beforeEach(() => {
  localStorage.clear();
  client = new QueryClient({ defaultOptions: { queries: { gcTime: Infinity } } });
  client.setQueryData(galleryKey('u'), { ...EMPTY, items: [item('running')] });
  client.setQueryData(accountKey('u'), { credits: 4, is_paid: false, paid_until: null });
  jest.mocked(readJobs).mockResolvedValue([]);
  answer({});
});

const answer = (page: Partial<Page>) =>
  jest.mocked(readGallery).mockResolvedValue({ items: [], cursor: null, jobs: [job('running')], ...page });

test('an end that the truth tells makes the balance old: there may be a refund', async () => {
  answer({ items: [item('failed')] });
  expect((await readTruth(client, 'u')).items[0]?.status).toBe('failed');
  expect(isBalanceOld()).toBe(true);
});

test('a success only settles what is paid already: the balance is not read again', async () => {
  answer({ items: [item('succeeded')] });
  await readTruth(client, 'u');
  expect(isBalanceOld()).toBe(false);
});

test('a success that is the first news of its job makes the balance old: it was paid for', async () => {
  answer({ items: [item('succeeded', { id: 'b' })] });
  await readTruth(client, 'u');
  expect(isBalanceOld()).toBe(true);
});

test('what is under way here is asked for by its id, in the same call', async () => {
  answer({ jobs: [job('succeeded')] });
  expect((await readTruth(client, 'u')).items[0]?.status).toBe('succeeded');
  expect(readGallery).toHaveBeenCalledWith(null, ['a']);
});

test('what the server does not know any more is dropped', async () => {
  answer({ jobs: [] });
  expect((await readTruth(client, 'u')).items).toEqual([]);
});

test('an end that a poll tells makes the balance old, once', async () => {
  jest.mocked(readJobs).mockResolvedValue([job('failed')]);
  await poll(client, 'u');
  expect(galleryOf(client, 'u').items[0]?.status).toBe('failed');
  expect(isBalanceOld()).toBe(true);
  client.setQueryData(accountKey('u'), { credits: 5, is_paid: false, paid_until: null });
  await poll(client, 'u');
  expect(isBalanceOld()).toBe(false);
});
