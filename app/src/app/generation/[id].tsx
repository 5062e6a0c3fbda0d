import { useLocalSearchParams } from 'expo-router';

import { PictureScreen } from '@/features/gallery/picture-screen';

export default function Generation() {
  const { id } = useLocalSearchParams<{ id: string }>();
  return <PictureScreen id={id} />;
}
