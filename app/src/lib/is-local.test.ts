import { isLocal } from './is-local';

test.each([
  ['http://127.0.0.1:54321', true],
  ['http://localhost:54321', true],
  ['http://192.168.1.20:54321', true],
  ['http://10.0.2.2:54321', true],
  ['https://abcdefgh.supabase.co', false],
  ['https://127.0.0.1.example.com', false],
  ['https://10.example.com', false],
  ['https://localhost.example.com:443', false],
  ['http://8.8.8.8', false],
  ['', false],
])('%s: %p', (url, expected) => expect(isLocal(url)).toBe(expected));
