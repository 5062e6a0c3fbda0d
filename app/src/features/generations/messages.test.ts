import { FAILURES, REFUSALS } from '@/texts/generations';

import { firstActionOf, statusLine } from './messages';
import { item, sending } from './samples.test.data';
import type { FailureCode, Item } from './types';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));

test.each(Object.keys(FAILURES) as FailureCode[])('a person is told what %s means', (code) => {
  const failed: Item = { ...item('failed'), status: 'failed', error: { code, message: null } };
  expect(statusLine(failed)).toMatch(/^[A-Z].*\.$/);
});

test.each(Object.keys(REFUSALS))('a person is told what %s means', (code) => {
  expect(statusLine({ ...sending(), status: 'refused', code, message: '' })).toMatch(/^[A-Z].*\.$/);
});

test('a code that this version does not know shows what the server says', () => {
  const said = { code: 'account_suspended', message: 'This account is suspended.' };
  expect(statusLine({ ...sending(), status: 'refused', ...said })).toBe(said.message);
  expect(statusLine({ ...item('failed'), status: 'failed', error: said })).toBe(said.message);
  expect(statusLine({ ...item('failed'), status: 'failed', error: { code: 'later', message: null } })).toBe(FAILURES.internal);
});

test.each([
  [item('queued'), 'In line'],
  [item('running'), 'Painting'],
  [item('waiting', { progress: 0.42 }), 'Painting, 42%'],
  [sending(), 'Sending'],
  [{ ...sending(), status: 'sending', delay: 'offline' } satisfies Item, 'Waiting for a connection'],
])('%#', (known, line) => {
  expect(statusLine(known)).toBe(line);
});

test.each<[string, ReturnType<typeof firstActionOf>]>([
  ['invalid_input', 'edit'],
  ['content_rejected', 'edit'],
  ['provider_rejected', 'edit'],
  ['provider_unavailable', 'retry'],
  ['timed_out', 'retry'],
  ['worker_lost', 'retry'],
  ['canceled', 'retry'],
  ['internal', 'retry'],
  ['constructor', 'retry'],
])('what helps after %s is to %s', (code, action) => {
  expect(firstActionOf({ ...item('failed'), status: 'failed', error: { code, message: null } })).toBe(action);
});

test.each<[string, ReturnType<typeof firstActionOf>]>([
  ['insufficient_credits', 'credits'],
  ['invalid_request', 'edit'],
  ['too_large', 'edit'],
  ['unknown_model', 'edit'],
  ['photo_lost', 'edit'],
  ['id_conflict', 'retry'],
  ['a_later_code', 'retry'],
])('what helps after the refusal %s is to %s', (code, action) => {
  expect(firstActionOf({ ...sending(), status: 'refused', code, message: '' })).toBe(action);
});

test('a code that is a name of every object shows what the server says', () => {
  expect(statusLine({ ...sending(), status: 'refused', code: 'constructor', message: 'No more today.' })).toBe('No more today.');
});
