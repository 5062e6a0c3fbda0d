import { readDisk, writeDisk } from '@/lib/disk';
import { showPhoto } from '@/lib/photos';
import { pendingPhoto } from '@/lib/pick-photo';
import { uuidv7 } from '@/lib/uuid';

import { photoUrl } from './api';
import { EMPTY_DRAFT } from './draft';
import { markOf } from './photo-marks';
import { input as anyInput } from './schemas';

jest.mock('@/lib/photos');
jest.mock('@/lib/pick-photo');
jest.mock('./api');

const [PHOTO, LOST] = [uuidv7(), uuidv7()];
const OUTPUT = `${uuidv7()}/${uuidv7()}/0.png`;

const started = (kept: unknown) => {
  writeDisk('draft', kept);
  let store!: typeof import('./draft-store');
  jest.isolateModules(() => void (store = jest.requireActual('./draft-store')));
  return store;
};

beforeEach(() => {
  jest.mocked(showPhoto).mockImplementation(async (id) => (id === PHOTO ? 'file:///photo.jpg' : null));
  jest.mocked(photoUrl).mockRejectedValue(new Error('no connection'));
});

test('a draft comes back with what there is to show for its photos, and without those that are gone', async () => {
  const photos = { image: [{ id: PHOTO, uri: 'blob:old' }, { id: LOST, uri: 'blob:old' }], more: [{ id: OUTPUT, path: OUTPUT, uri: '' }] };
  const values = { image: [markOf(PHOTO), markOf(LOST)], more: [OUTPUT], hd: true };
  const { draft, resumeDraft } = started({ model: 'm', prompt: 'a fox', values, photos });
  expect(draft.get().prompt).toBe('a fox');
  await resumeDraft();
  expect(draft.get().values).toEqual({ image: [markOf(PHOTO)], more: [OUTPUT], hd: true });
  expect(draft.get().photos).toEqual({ image: [{ id: PHOTO, uri: 'file:///photo.jpg' }], more: [{ id: OUTPUT, path: OUTPUT, uri: '' }] });
});

test.each([[7], [[]], [{ values: 7, prompt: {}, model: 3, photos: { image: 7 } }], ['x']])('a draft that cannot be read is empty: %j', (bad) => {
  const { photos, ...others } = started(bad).draft.get();
  expect({ ...others, photos: Object.values(photos).flat() }).toEqual({ ...EMPTY_DRAFT, photos: [] });
});

test('a photo that was being chosen when the app ended is taken at the next start', async () => {
  jest.mocked(pendingPhoto).mockResolvedValue({ id: PHOTO, uri: 'file:///photo.jpg' });
  writeDisk('picking', 'image');
  const { draft, resumeDraft } = started({ prompt: 'a fox' });
  await resumeDraft();
  expect(draft.get().values).toEqual({ image: [markOf(PHOTO)] });
  expect(readDisk('picking', anyInput)).toBeNull();
});
