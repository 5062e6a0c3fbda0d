import { readDisk, writeDisk } from '@/lib/disk';
import { erasePhoto, keptPhotos, showPhoto } from '@/lib/photos';
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

const started = (kept: unknown, user: unknown = null) => {
  writeDisk('draft', kept);
  writeDisk('user', user);
  let store!: typeof import('./draft-store') & typeof import('@/lib/session');
  jest.isolateModules(() => void (store = { ...jest.requireActual('./draft-store'), ...jest.requireActual('@/lib/session') }));
  return store;
};

beforeEach(() => {
  localStorage.clear();
  jest.mocked(keptPhotos).mockResolvedValue([]);
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

test('one that cannot be read is not tried again at every start', async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => {});
  jest.mocked(pendingPhoto).mockRejectedValue(new Error('cannot be decoded'));
  writeDisk('picking', 'image');
  const { draft, resumeDraft } = started({ prompt: 'a fox' });
  await resumeDraft();
  expect(draft.get()).toMatchObject({ prompt: 'a fox', photos: {} });
  expect(localStorage.getItem('pilotlight.1.picking')).toBeNull();
});

const WRITTEN = { model: 'm', prompt: 'a secret', values: { hd: true, image: [markOf(PHOTO)] }, photos: { image: [{ id: PHOTO }] } };
const promptOnDisk = () => readDisk('draft', anyInput)?.prompt;

test('the next user sees neither draft nor photos of one who signed out or was deleted', async () => {
  jest.mocked(keptPhotos).mockResolvedValue([PHOTO]);
  const { draft, session } = started({ ...WRITTEN, userId: 'one' }, { userId: 'one', email: 'a@b.c' });
  expect(draft.get().prompt).toBe('a secret');
  session.set({ userId: null, isReady: false });
  expect(draft.get()).toEqual(EMPTY_DRAFT);
  expect(promptOnDisk()).toBeUndefined();
  await Promise.resolve();
  expect(erasePhoto).toHaveBeenCalledWith(PHOTO, 0, [PHOTO]);
});

test('nor does the user who signs in where the session of another was lost', () => {
  const { draft, session } = started({ ...WRITTEN, userId: 'one' }, { userId: 'one', email: 'a@b.c' });
  session.set({ userId: 'two', isReady: true, replaced: null });
  expect(draft.get()).toEqual(EMPTY_DRAFT);
});

test.each([[null], [{ userId: 'two' }]])('nor one who comes after an app that was ended as it signed out: %j', (user) => {
  expect(started({ ...WRITTEN, userId: 'one' }, user).draft.get()).toEqual(EMPTY_DRAFT);
});

test('a draft comes along as the cards do: to the first user of a phone, and to one who replaces an anonymous user', () => {
  const { draft, session } = started(WRITTEN);
  session.set({ userId: 'one', isReady: true });
  session.set({ userId: 'one', isReady: false, isLost: true });
  session.set({ userId: 'two', isReady: true, replaced: 'one' });
  expect(draft.get().prompt).toBe('a secret');
  expect(started({ ...WRITTEN, userId: 'one' }, { userId: 'two', replaced: 'one' }).draft.get().prompt).toBe('a secret');
});

test('the disk says whose draft it is as soon as there is a user', () => {
  jest.useFakeTimers();
  const { session } = started(WRITTEN);
  session.set({ userId: 'one', isReady: true });
  jest.runAllTimers();
  jest.useRealTimers();
  expect(readDisk('draft', anyInput)).toMatchObject({ userId: 'one', prompt: 'a secret' });
});
