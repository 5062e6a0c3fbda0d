/** The models on offer. The last list stays on disk, and no model is named in the code. */

import { queryOptions } from '@tanstack/react-query';

import { readDisk, writeDisk } from '@/lib/disk';

import { listModels } from './api';
import * as schemas from './schemas';

const ON_DISK = 'models';

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: async () => {
    const models = await listModels();
    writeDisk(ON_DISK, models);
    return models;
  },
  initialData: () => readDisk(ON_DISK, schemas.models) ?? undefined,
  initialDataUpdatedAt: 0,
  // A server without a model is being set up or repaired.
  staleTime: ({ state }) => (state.data?.length ? 3_600_000 : 0),
});
