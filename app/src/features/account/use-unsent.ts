/** The number of requests that are on this phone alone. */

import { useGallery } from '@/features/generations';

export const useUnsent = (): number => useGallery().items.filter(({ status }) => status === 'sending' || status === 'refused').length;
