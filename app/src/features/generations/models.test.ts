import { QueryClient } from '@tanstack/react-query';

import { listModels } from './api';
import { modelsQuery } from './models';
import type { Model } from './types';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.mock('./api', () => ({ listModels: jest.fn() }));

const MODEL: Model = { id: 'm', title: 'M', description: '', kind: 'image', cost: 1, included: false, input_schema: {} };

test('an empty list is asked for again, and one with a model is good for a while', async () => {
  const client = new QueryClient({ defaultOptions: { queries: { gcTime: Infinity, retry: false } } });
  jest.mocked(listModels).mockResolvedValueOnce([]).mockResolvedValue([MODEL]);
  const lists = [];
  for (let turn = 0; turn < 3; turn += 1) lists.push(await client.fetchQuery(modelsQuery));
  expect(lists).toEqual([[], [MODEL], [MODEL]]);
  expect(listModels).toHaveBeenCalledTimes(2);
});
