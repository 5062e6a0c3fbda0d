/** The public interface for screens; the rest of this folder is private. */

export { photoUrl, REPORT_REASONS, reportGeneration, type ReportReason } from './api';
export { deletionRefused, UNDO_FOR } from './deletions';
export { type Draft, draftFrom, draftOf, EMPTY_DRAFT, withPhoto } from './draft';
export { forgetCards, forgetUser } from './forget';
export { type FirstAction, firstActionOf, statusLine } from './messages';
export * from './types';
export { useAccount, useModels } from './use-account';
export { useActions } from './use-actions';
export { useGallery } from './use-gallery';
export { useGenerate } from './use-generate';
export { useGeneration } from './use-generation';
export { useLiveUpdates } from './use-live-updates';
export { useSignedUrl } from './use-signed-url';

export { draft, pickInto, resumeDraft, showPhotos } from './draft-store';
