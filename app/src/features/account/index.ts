/** What the routes use of this folder. */

export { useDeletion } from './deletion';
export { LostNotice } from './lost-notice';
export { usePush } from './use-push';
