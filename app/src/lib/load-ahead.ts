/** Begins to load a picture before its place is drawn. */

import { Image } from 'expo-image';
import { Platform } from 'react-native';

/** Load it in a browser only:
 * a phone keeps pictures by another name than their URL and would load them twice. */
export function loadAhead(url: string): void {
  if (Platform.OS === 'web') void Image.prefetch(url);
}
