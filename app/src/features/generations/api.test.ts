import { Refused, remove, Unreachable } from './api';

let mockAnswer: { error: { code: string; message: string } | null; status: number };
jest.mock('@/lib/supabase', () => ({
  supabase: { from: () => ({ delete: () => ({ eq: async () => mockAnswer }) }) },
}));

test.each([
  [403, Refused],
  [451, Refused],
  [0, Unreachable],
  [401, Unreachable],
  [429, Unreachable],
  [503, Unreachable],
])('a deletion that is answered with %i is %p', async (status, kind) => {
  mockAnswer = { error: { code: 'c', message: 'words' }, status };
  const said = remove('a');
  await expect(said).rejects.toBeInstanceOf(kind);
  await expect(said).rejects.toThrow('words');
});
