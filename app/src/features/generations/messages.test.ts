import { statusLine } from './messages';
import { item, sending } from './samples';
import { FAILURE_CODES, type Item, REFUSAL_CODES } from './types';

test.each(FAILURE_CODES)('a person is told what %s means', (code) => {
  const failed: Item = { ...item('failed'), status: 'failed', error: { code, message: null } };
  expect(statusLine(failed)).toMatch(/^[A-Z].*\.$/);
});

test.each(REFUSAL_CODES)('a refusal for %s is never blank', (code) => {
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
