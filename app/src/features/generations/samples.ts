/** Complete jobs and cards for tests; a test names only the fields it is about. */

import { fromJob } from './merge';
import type { Generation, Item, Job, Status } from './types';

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
    error: null,
    created_at: `${AT}0+00:00`,
    updated_at: `${AT}1+00:00`,
    generation: hasEnded ? generation(id, status) : null,
    ...changes,
  };
}

function generation(id: string, status: Generation['status']): Generation {
  const isFine = status === 'succeeded';
  return {
    id,
    status,
    model: 'preview',
    input: { prompt: 'a fox' },
    output: isFine ? [{ kind: 'image', path: `u/${id}/0.png`, mime: 'image/png', width: 8, height: 8, blurhash: null }] : null,
    error: isFine ? null : { code: status === 'failed' ? 'content_rejected' : 'canceled', message: 'No.' },
    created_at: `${AT}1+00:00`,
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
