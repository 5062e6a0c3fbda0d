import { isUuid, uuidv7 } from './uuid';

test('an id is a UUID of version 7 that says when it was made', () => {
  const id = uuidv7(Date.UTC(2026, 0, 1));
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(Date.UTC(2026, 0, 1));
});

test('ids of one moment differ, and later ids are greater', () => {
  expect(new Set(Array.from({ length: 1000 }, () => uuidv7(0))).size).toBe(1000);
  expect(uuidv7(1) < uuidv7(2)).toBe(true);
});

test.each(['', 'x', '%', '../etc', 'a,b', `${uuidv7()}x`])('%p is no id', (text) => expect(isUuid(text)).toBe(false));
