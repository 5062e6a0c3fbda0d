import { useRouter } from 'expo-router';

import { DeadEnd } from '@/components/dead-end';
import { NOT_FOUND } from '@/texts/app';

export default function NotFound() {
  const router = useRouter();
  return (
    <DeadEnd
      title={NOT_FOUND.title}
      text={NOT_FOUND.text}
      label={NOT_FOUND.back}
      onPress={() => router.replace('/')}
    />
  );
}
