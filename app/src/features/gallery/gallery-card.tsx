/** A card with what it needs to know and to do. */

import { useRouter } from 'expo-router';
import { memo } from 'react';

import { GenerationCard } from '@/components/generation-card';
import { type Item, useActions, useSignedUrl } from '@/features/generations';

interface GalleryCardProps {
  item: Item;
  onProblem: (text: string) => void;
}

export const GalleryCard = memo(function GalleryCard({ item, onProblem }: GalleryCardProps) {
  const router = useRouter();
  const { cancelItem, deleteItem, retryItem } = useActions();
  const { url, renew } = useSignedUrl(item.status === 'succeeded' ? item.output[0] : undefined);
  return (
    <GenerationCard
      item={item}
      url={url}
      onBroken={renew}
      onOpen={() => router.push({ pathname: '/generation/[id]', params: { id: item.id } })}
      onRetry={() => retryItem(item)}
      onCancel={() => {
        cancelItem(item).then(
          (isOver) => isOver || onProblem('It stops as soon as it can.'),
          () => onProblem('It could not be canceled. Try again in a moment.'),
        );
      }}
      onDelete={() => void deleteItem(item).catch(() => onProblem('It could not be deleted. Try again in a moment.'))}
    />
  );
});
