/** Complete jobs and cards for tests; a test names only the fields it is about. */

import { fromJob } from './merge';
import type { FileOutput, Item, Job } from './types';

type Status = 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'canceled';

export const AT = '2026-01-01T10:00:0';

export function job(status: Status, changes: Partial<Job> = {}): Job {
  const id = changes.id ?? 'a';
  const hasEnded = status === 'succeeded' || status === 'failed' || status === 'canceled';
  return {
    id,
    model: 'preview',
    input: { prompt: 'a fox' },
    status,
    progress: null,
    created_at: `${AT}0+00:00`,
    updated_at: `${AT}1+00:00`,
    generation: hasEnded ? generation(id, status === 'succeeded', status) : null,
    ...changes,
  };
}

function generation(id: string, isFine: boolean, status: Status): Job['generation'] {
  return {
    output: isFine ? [file(`u/${id}/0.png`)] : null,
    error: isFine ? null : { code: status === 'failed' ? 'content_rejected' : 'canceled', message: 'No.' },
  };
}

export function file(path: string, changes: Partial<FileOutput> = {}): FileOutput {
  return {
    ...{ kind: 'image', path, mime: 'image/png', width: 8, height: 8, blurhash: null },
    ...{ thumb: null, duration: null, token: null, thumb_token: null },
    ...changes,
  };
}

export function item(status: Status, changes: Partial<Job> = {}): Item {
  const made = fromJob(job(status, changes));
  if (!made) throw new Error('a sample without a generation');
  return made;
}

export const sending = (id = 'a'): Item => ({
  ...{ id, model: 'preview', input: { prompt: 'a fox' }, status: 'sending', delay: null },
  ...{ requestedAt: `${AT}0Z`, updatedAt: `${AT}0Z` },
});
