/** The exports of this folder for the routes. */

export { useDeletion } from './deletion';
export { LostNotice } from './lost-notice';
export { usePush } from './use-push';
