import { item } from '@/features/generations/samples';

import { rowsOf } from './rows';

const wall = (ids: string, columns: number) =>
  rowsOf([...ids].map((id) => item('queued', { id })), columns).map((row) => row.map(({ id }) => id).join(''));

test.each([
  ['', 2, []],
  ['a', 2, ['a']],
  ['ba', 2, ['ba']],
  ['cba', 2, ['c', 'ba']],
  ['dcba', 3, ['d', 'cba']],
  ['edcba', 3, ['ed', 'cba']],
])('%p in rows of %p', (ids, columns, rows) => {
  expect(wall(ids, columns)).toEqual(rows);
});

test('a new card leaves every full row as it is', () => {
  expect(wall('fedcba', 2).slice(-2)).toEqual(wall('edcba', 2).slice(-2));
});
