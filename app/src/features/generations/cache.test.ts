import { QueryClient, QueryObserver } from '@tanstack/react-query';

import { session } from '@/lib/session';

import { absorb, absorbAccount, absorbAnswer, accountKey, changeGallery, keepOnDisk, openGallery } from './cache';
import { EMPTY } from './merge';
import { AT, item, job } from './samples.test.data';
import { type Account, isPaid } from './types';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));

let client: QueryClient;
let answers: ((credits: number) => void)[];
const readAccount = () =>
  new Promise<Account>((resolve) => answers.push((credits) => resolve({ credits, is_paid: false, paid_until: null })));
const balance = () => client.getQueryData<Account>(accountKey('u'))?.credits;

/** The header's balance. Every read waits until the test answers it. */
function showBalance(): () => void {
  return new QueryObserver(client, { queryKey: accountKey('u'), queryFn: readAccount }).subscribe(() => {});
}

async function answer(read: number, credits: number): Promise<void> {
  answers[read]?.(credits);
  await jest.advanceTimersByTimeAsync(0);
}

const refundComes = () => absorb(client, 'u', [item('failed')]);

beforeEach(() => {
  jest.useFakeTimers();
  localStorage.clear();
  answers = [];
  client = new QueryClient({ defaultOptions: { queries: { gcTime: Infinity, retry: false } } });
  changeGallery(client, 'u', () => ({ ...EMPTY, items: [item('running')] }));
});
afterEach(() => jest.useRealTimers());

test('a refund that comes during the first read of the balance is read after it', async () => {
  const stop = showBalance();
  refundComes();
  await answer(0, 4);
  await answer(1, 5);
  expect(balance()).toBe(5);
  stop();
});

test('the balance that was read before the refund does not come back when its answer is late', async () => {
  const stop = showBalance();
  refundComes();
  await answer(1, 5);
  await answer(0, 4);
  expect(balance()).toBe(5);
  stop();
});

test('an answer that comes during the first read of the balance is followed by another read', async () => {
  const stop = showBalance();
  absorbAnswer(client, 'u', { job: job('queued'), credits: 3 });
  await answer(0, 4);
  await answer(1, 3);
  expect(balance()).toBe(3);
  stop();
});

test('every refund is read: also the second one, during the read for the first', async () => {
  changeGallery(client, 'u', () => ({ ...EMPTY, items: [item('running'), item('running', { id: 'b' })] }));
  const stop = showBalance();
  refundComes();
  absorb(client, 'u', [item('failed', { id: 'b' })]);
  await answer(0, 3);
  await answer(1, 4);
  await answer(2, 5);
  expect(balance()).toBe(5);
  stop();
});

test('a read in flight whose screen is gone does not hide a refund from the next screen', async () => {
  showBalance()();
  refundComes();
  await answer(0, 4);
  const stop = showBalance();
  await answer(1, 5);
  expect(balance()).toBe(5);
  stop();
});

test('a refund while the balance is on the screen is read, and the old one stays until then', async () => {
  const stop = showBalance();
  await answer(0, 4);
  refundComes();
  expect(balance()).toBe(4);
  await answer(1, 5);
  expect(balance()).toBe(5);
  stop();
});

test('a balance that the server says is shown at once, and an older read does not replace it', async () => {
  const stop = showBalance();
  absorbAccount(client, 'u', { credits: 50, is_paid: true, paid_until: null });
  expect(balance()).toBe(50);
  await answer(0, 4);
  expect(balance()).toBe(50);
  await answer(1, 49);
  expect(balance()).toBe(49);
  stop();
});

test.each([
  [true, null, true],
  [false, null, false],
  [false, '2026-01-01T10:00:00Z', false],
  [false, '2026-01-01T10:00:02Z', true],
])('paid: %p, until %p: %p', (is_paid, paid_until, expected) => {
  expect(isPaid({ credits: 0, is_paid, paid_until }, Date.parse('2026-01-01T10:00:01Z'))).toBe(expected);
});

test('cards on disk that are there twice, or in another order, are drawn once and the newest first', () => {
  const newer = item('succeeded', { id: 'b', created_at: `${AT}2+00:00` });
  localStorage.setItem('pilotlight.1.gallery.u', JSON.stringify([item('running'), newer, item('succeeded'), newer]));
  expect(openGallery('u').items.map(({ id, status }) => [id, status])).toEqual([['b', 'succeeded'], ['a', 'succeeded']]);
});

test.each([
  ['is here', { userId: 'u' }, true],
  ['left the gallery to another', { userId: 'next', replaced: 'u' }, true],
  ['has signed out, here or in another tab', { userId: null }, false],
  ['is followed by another', { userId: 'next', replaced: null }, false],
])('a change is written to disk soon after if its user %s', async (_where, now, isWritten) => {
  session.set({ userId: 'u', isReady: true });
  const stop = keepOnDisk(client);
  refundComes();
  session.set({ ...now, isReady: true });
  await jest.advanceTimersByTimeAsync(1000);
  expect(localStorage.getItem('pilotlight.1.gallery.u') !== null).toBe(isWritten);
  stop();
});
