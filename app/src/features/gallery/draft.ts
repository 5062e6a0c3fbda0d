/** The content of the composer. Any screen may fill it. */

import { EMPTY_DRAFT } from '@/features/generations';
import { createStore } from '@/lib/store';

export const draft = createStore(EMPTY_DRAFT);
