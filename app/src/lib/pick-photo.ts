/** A photo from the library or the camera.
 * It is made small and stored before the user can send it. */

import { ImageManipulator, type ImageRef, SaveFormat } from 'expo-image-manipulator';
import * as ImagePicker from 'expo-image-picker';
import { Platform } from 'react-native';

import { keepPhoto } from './photos';
import { uuidv7 } from './uuid';

/** Pixels of the longer side: more than models use, and an upload of some hundred kilobytes. */
const LONGEST_SIDE = 1536;
const QUALITY = 0.85;

export interface Photo {
  id: string;
  /** The URI to show it while the app runs. */
  uri: string;
}

/** Return null if the user chose none or does not allow the camera. */
export async function pickPhoto(from: 'library' | 'camera'): Promise<Photo | null> {
  if (from === 'camera' && !(await ImagePicker.requestCameraPermissionsAsync()).granted) return null;
  const launch = from === 'camera' ? ImagePicker.launchCameraAsync : ImagePicker.launchImageLibraryAsync;
  return keep(await launch({ mediaTypes: ['images'], quality: 1 }));
}

/** Return the photo that was being chosen when Android ended the app for lack of memory. */
export async function pendingPhoto(): Promise<Photo | null> {
  if (Platform.OS !== 'android') return null;
  const result = await ImagePicker.getPendingResultAsync();
  return result && 'assets' in result ? keep(result) : null;
}

async function keep({ assets }: ImagePicker.ImagePickerResult): Promise<Photo | null> {
  const asset = assets?.[0];
  if (!asset) return null;
  const id = uuidv7();
  const uri = await encodedAgain(asset.uri);
  await keepPhoto(id, uri);
  return { id, uri };
}

/** Encode as a JPEG, which every model takes, without the place and time that a camera writes into
 * the file. */
async function encodedAgain(uri: string): Promise<string> {
  const image = await ImageManipulator.manipulate(uri).renderAsync();
  const small = await madeSmall(image);
  const saved = await small.saveAsync({ format: SaveFormat.JPEG, compress: QUALITY });
  new Set([image, small]).forEach((used) => used.release());
  return saved.uri;
}

/** Do not take the size from the picker:
 * it may not have it, and may mean the photo before its EXIF data turn it. */
async function madeSmall(image: ImageRef): Promise<ImageRef> {
  if (Math.max(image.width, image.height) <= LONGEST_SIDE) return image;
  const size = image.width >= image.height ? { width: LONGEST_SIDE } : { height: LONGEST_SIDE };
  return ImageManipulator.manipulate(image).resize(size).renderAsync();
}
