/** A picture that is never blank: its colours first, then itself. */

import { Image } from 'expo-image';
import { StyleSheet } from 'react-native';

import { useReducedMotion } from './motion';

interface PictureProps {
  url: string | undefined;
  /** The same picture has the same one, however its URL changes. */
  cacheKey: string;
  blurhash: string | null | undefined;
  label: string;
  fit?: 'cover' | 'contain';
  onBroken: () => void;
}

export function Picture({ url, cacheKey, blurhash, label, fit = 'cover', onBroken }: PictureProps) {
  const isStill = useReducedMotion();
  return (
    <Image
      source={url ? { uri: url, cacheKey } : null}
      placeholder={blurhash ? { blurhash, width: 32, height: 32 } : null}
      placeholderContentFit="cover"
      contentFit={fit}
      loading="eager" // the wall draws only near cards; a lazy image would wait another frame
      transition={isStill ? 0 : 320}
      recyclingKey={cacheKey}
      accessibilityLabel={label}
      onError={onBroken}
      style={StyleSheet.absoluteFill}
    />
  );
}
