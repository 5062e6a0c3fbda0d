import { Platform } from 'react-native';

import { readDisk, writeDisk } from '@/lib/disk';
import { findPhoto } from '@/lib/photos';
import { pendingPhoto } from '@/lib/pick-photo';
import { uuidv7 } from '@/lib/uuid';

import { signPaths, signUploads } from './api';
import { afterSending, draftOf, EMPTY_DRAFT, withPhoto } from './draft';
import { markOf } from './photo-marks';
import { input as anyInput } from './schemas';

jest.mock('@/lib/photos');
jest.mock('@/lib/pick-photo');
jest.mock('./api');

const PHOTO = uuidv7();
const UPLOAD = `${uuidv7()}/${uuidv7()}.jpg`;
const OUTPUT = `${uuidv7()}/${uuidv7()}/0.png`;

const started = (draft: unknown) => {
  writeDisk('draft', draft);
  let store!: typeof import('./draft-store');
  jest.isolateModules(() => void (store = jest.requireActual('./draft-store')));
  return store;
};

beforeEach(() => {
  jest.mocked(findPhoto).mockImplementation(async (id) => (id === PHOTO ? 'file:///photo.jpg' : null));
  jest.mocked(signUploads).mockResolvedValue(new Map([[UPLOAD, 'https://s/upload']]));
  jest.mocked(signPaths).mockRejectedValue(new Error('no connection'));
});

test('a draft comes back with what there is to show for its photos; one that is gone is named no more', async () => {
  const lost = markOf(uuidv7());
  const { draft, resumeDraft } = started({ model: 'm', prompt: 'a fox', values: { image: [markOf(PHOTO), lost], more: [UPLOAD, OUTPUT], hd: true } });
  expect(draft.get().prompt).toBe('a fox');
  await resumeDraft();
  expect(draft.get().photos).toEqual({
    image: [{ id: PHOTO, uri: 'file:///photo.jpg' }],
    more: [{ id: UPLOAD, uri: 'https://s/upload' }, { id: OUTPUT, uri: '' }],
  });
  expect(draft.get().values).toEqual({ image: [markOf(PHOTO)], more: [UPLOAD, OUTPUT], hd: true });
});

test.each([[7], [[]], [{ values: 7, prompt: {}, model: 3 }], ['x']])('a draft that cannot be read is empty: %j', (bad) => {
  expect(started(bad).draft.get()).toEqual(EMPTY_DRAFT);
});

test('a photo that was being chosen when the app ended is taken at the next start', async () => {
  Platform.OS = 'android';
  jest.mocked(pendingPhoto).mockResolvedValue({ id: PHOTO, uri: 'file:///photo.jpg' });
  writeDisk('picking', 'image');
  const { draft, resumeDraft } = started({ prompt: 'a fox' });
  await resumeDraft();
  expect(draft.get().values).toEqual({ image: [markOf(PHOTO)] });
  expect(readDisk('picking', anyInput)).toBeNull();
});

test('a card gives its photo and choices back, and sending keeps the choices alone', () => {
  const input = { prompt: 'a fox', image: UPLOAD, references: [UPLOAD, OUTPUT], style: 'ink' };
  const draft = draftOf({ model: 'm', input });
  expect(draft).toMatchObject({ model: 'm', prompt: 'a fox', values: { image: [UPLOAD], references: [UPLOAD, OUTPUT], style: 'ink' } });
  expect(afterSending(withPhoto(draft, 'image', { id: PHOTO, uri: '' }))).toEqual({ ...EMPTY_DRAFT, model: 'm', values: { style: 'ink' } });
});
