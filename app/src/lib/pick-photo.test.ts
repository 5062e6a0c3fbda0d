import { ImageManipulator } from 'expo-image-manipulator';
import { launchImageLibraryAsync } from 'expo-image-picker';

import { keepPhoto } from './photos';
import { pickPhoto } from './pick-photo';

jest.mock('expo-image-picker', () => ({ launchImageLibraryAsync: jest.fn() }));
jest.mock('expo-image-manipulator', () => ({ ImageManipulator: { manipulate: jest.fn() }, SaveFormat: { JPEG: 'jpeg' } }));
jest.mock('./photos', () => ({ keepPhoto: jest.fn(async () => {}) }));

interface Size {
  width: number;
  height: number;
}

/** As in the library:
 * the size is known once the photo is drawn, and one side follows from the other. */
function image({ width, height }: Size) {
  return { width, height, release: () => {}, saveAsync: async () => ({ uri: `file:///${width}x${height}.jpg` }) };
}
function photoOf(real: Size, said: Size) {
  jest.mocked(launchImageLibraryAsync).mockResolvedValue({ canceled: false, assets: [{ uri: 'file:///chosen', ...said }] } as never);
  jest.mocked(ImageManipulator.manipulate).mockImplementation(((source: string | Size) => {
    let size = typeof source === 'string' ? real : source;
    return {
      resize: ({ width, height }: Partial<Size>) => {
        const factor = width ? width / size.width : (height ?? 0) / size.height;
        size = { width: Math.round(size.width * factor), height: Math.round(size.height * factor) };
        return { renderAsync: async () => image(size) };
      },
      renderAsync: async () => image(size),
      release: () => {},
    };
  }) as never);
}

test.each<[string, Size, Size, string]>([
  ['one whose size the picker does not know', { width: 4000, height: 3000 }, { width: 0, height: 0 }, '1536x1152'],
  ['one that is turned by its EXIF data', { width: 3000, height: 4000 }, { width: 4000, height: 3000 }, '1152x1536'],
  ['a small one', { width: 800, height: 600 }, { width: 800, height: 600 }, '800x600'],
])('%s is at most as large as models look at', async (_name, real, said, size) => {
  photoOf(real, said);
  await pickPhoto('library');
  expect(keepPhoto).toHaveBeenLastCalledWith(expect.any(String), `file:///${size}.jpg`);
});
