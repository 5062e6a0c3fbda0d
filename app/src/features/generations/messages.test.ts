import { DELAYS } from './api';
import { FAILURES, statusLine } from './messages';
import { item, sending } from './samples';
import type { FailureCode, Item, RefusalCode } from './types';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));

test.each(Object.keys(FAILURES) as FailureCode[])('a person is told what %s means', (code) => {
  const failed: Item = { ...item('failed'), status: 'failed', error: { code, message: null } };
  expect(statusLine(failed)).toMatch(/^[A-Z].*\.$/);
});

test.each(Object.keys(DELAYS) as RefusalCode[])('a refusal for %s is never blank', (code) => {
  expect(statusLine({ ...sending(), status: 'refused', code, message: 'Refused.' })).toMatch(/\.$/);
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
