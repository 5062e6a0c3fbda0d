import { useLocalSearchParams } from 'expo-router';

import { DetailScreen } from '@/features/gallery/detail-screen';

export default function Generation() {
  const { id } = useLocalSearchParams<{ id: string }>();
  return <DetailScreen id={id} />;
}
