/** A picture that is never blank: first its colours or its small picture, then itself. */

import { Image } from 'expo-image';
import { StyleSheet } from 'react-native';

import { useReducedMotion } from './motion';

interface PictureProps {
  url: string | undefined;
  /** The key of the picture in the cache: it stays the same when the URL changes. */
  cacheKey: string;
  blurhash?: string | null;
  /** The URL of the small picture, which is loaded already. */
  small?: string;
  label: string;
  fit?: 'cover' | 'contain';
  onShown?: () => void;
  onBroken: () => void;
}

export function Picture({ url, cacheKey, blurhash, small, label, fit = 'cover', onShown, onBroken }: PictureProps) {
  const isStill = useReducedMotion();
  const placeholder = small ? { uri: small } : blurhash ? { blurhash, width: 32, height: 32 } : null;
  return (
    <Image
      source={url ? { uri: url, cacheKey } : null}
      placeholder={placeholder}
      placeholderContentFit={small ? fit : 'cover'}
      contentFit={fit}
      loading="eager" // the wall draws only near cards; a lazy image would wait another frame
      transition={isStill ? 0 : 320}
      recyclingKey={cacheKey}
      accessibilityLabel={label}
      onDisplay={onShown}
      onError={onBroken}
      style={StyleSheet.absoluteFill}
    />
  );
}
