/** The text in the composer. Any screen may fill it. */

import { createStore } from '@/lib/store';

export const draft = createStore('');
