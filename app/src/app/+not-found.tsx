import { useRouter } from 'expo-router';

import { DeadEnd } from '@/components/dead-end';

export default function NotFound() {
  const router = useRouter();
  return (
    <DeadEnd
      title="There is nothing here"
      text="The address may be mistyped, or of another version of the app."
      label="To the gallery"
      onPress={() => router.replace('/')}
    />
  );
}
