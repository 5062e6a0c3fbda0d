/** A card with its data and its actions. */

import { useRouter } from 'expo-router';
import { memo } from 'react';

import { GenerationCard } from '@/components/generation-card';
import { type Item, pictureOf, useActions, useSignedUrl } from '@/features/generations';

import { report } from './use-notice';

export const GalleryCard = memo(function GalleryCard({ item }: { item: Item }) {
  const router = useRouter();
  const { cancelItem, deleteItem, retryItem } = useActions();
  const { url, renew } = useSignedUrl(item.status === 'succeeded' ? pictureOf(item.output[0]) : undefined);
  return (
    <GenerationCard
      item={item}
      url={url}
      onBroken={renew}
      onOpen={() => router.push({ pathname: '/generation/[id]', params: { id: item.id } })}
      onRetry={() => retryItem(item)}
      onCancel={() => {
        cancelItem(item).then(
          (isOver) => isOver || report('It stops as soon as it can.'),
          () => report('It could not be canceled. Try again in a moment.'),
        );
      }}
      onDelete={() => void deleteItem(item).catch(() => report('It could not be deleted. Try again in a moment.'))}
    />
  );
});
