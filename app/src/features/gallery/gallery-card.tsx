/** A card with its data and its actions. */

import { memo } from 'react';

import { GenerationCard } from '@/components/generation-card';
import { type Item, pictureOf, useSignedUrl } from '@/features/generations';
import { tapFinger } from '@/lib/pictures';

import { useCard } from './use-card';

export const GalleryCard = memo(function GalleryCard({ item }: { item: Item }) {
  const { retry, edit, getCredits, cancel, remove } = useCard(item);
  const { url, renew } = useSignedUrl(item.status === 'succeeded' ? pictureOf(item.output[0]) : undefined);
  return (
    <GenerationCard
      item={item}
      url={url}
      onBroken={renew}
      onArrived={tapFinger}
      onRetry={retry}
      onEdit={edit}
      onCredits={getCredits}
      onCancel={() => void cancel()}
      onDelete={remove}
    />
  );
});
