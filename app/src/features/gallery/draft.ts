/** The content of the composer. Any screen may fill it. */

export { draft } from '@/features/generations';
