import { erasePhoto, keptPhotos, readPhoto } from '@/lib/photos';
import { uuidv7 } from '@/lib/uuid';

import { uploadPhoto } from './api';
import * as outbox from './outbox';
import { markOf } from './photo-marks';
import { sweepPhotos, upload } from './photo-uploads';

jest.mock('@/lib/supabase', () => ({ supabase: {} }));
jest.mock('@/lib/photos', () => ({ readPhoto: jest.fn(), keptPhotos: jest.fn(), erasePhoto: jest.fn() }));
jest.mock('./api', () => ({ ...jest.requireActual('./api'), uploadPhoto: jest.fn() }));

beforeEach(() => {
  localStorage.clear();
  jest.clearAllMocks();
});

test.each([['is gone', null], ['is empty', new ArrayBuffer(0)]])('a photo that %s is said to be lost, and is not sent', async (_name, bytes) => {
  jest.mocked(readPhoto).mockResolvedValue(bytes);
  await expect(upload('u', 'p')).rejects.toMatchObject({ code: 'photo_lost' });
  expect(uploadPhoto).not.toHaveBeenCalled();
});

test('the photo of an unsent request that this version cannot read is kept with it', async () => {
  const [needed, old] = [uuidv7(0), uuidv7(0)];
  localStorage.setItem('pilotlight.1.outbox.a', JSON.stringify({ version: 2, wish: { image: [markOf(needed)] } }));
  expect(outbox.all()).toEqual([]);
  jest.mocked(keptPhotos).mockResolvedValue([needed, old]);
  await sweepPhotos(Date.now());
  expect(jest.mocked(erasePhoto).mock.calls.map(([id]) => id)).toEqual([old]);
});
