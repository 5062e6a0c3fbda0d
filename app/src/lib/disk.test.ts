import * as v from 'valibot';

import { neverWriteAgain, readDisk, writeDisk } from './disk';

beforeEach(() => localStorage.clear());

test('a deleted user without an id forbids nothing', () => {
  neverWriteAgain('');
  writeDisk('draft', 'a fox');
  expect(readDisk('draft', v.string())).toBe('a fox');
});

test('nothing more is written of a user who was deleted', () => {
  neverWriteAgain('gone');
  writeDisk('gallery.gone', []);
  writeDisk('urls', { 'gone/a/0.png': 'x' });
  expect([readDisk('gallery.gone', v.unknown()), readDisk('urls', v.unknown())]).toEqual([null, null]);
});
