/** What the server says and what the gallery holds. A test holds the first half against docs/openapi.yaml. */

export const STATUSES = ['queued', 'running', 'waiting', 'succeeded', 'failed', 'canceled'] as const;
export type Status = (typeof STATUSES)[number];
type EndedStatus = 'succeeded' | 'failed' | 'canceled';

export const FAILURE_CODES = [
  'invalid_input',
  'content_rejected',
  'provider_rejected',
  'provider_unavailable',
  'timed_out',
  'worker_lost',
  'canceled',
  'internal',
] as const;
export type FailureCode = (typeof FAILURE_CODES)[number];

export const REFUSAL_CODES = [
  'invalid_request',
  'unauthenticated',
  'insufficient_credits',
  'unknown_model',
  'not_found',
  'method_not_allowed',
  'too_slow',
  'id_conflict',
  'too_large',
  'too_many_jobs',
  'unavailable',
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

export type Input = Record<string, unknown>;

export interface Failure {
  code: FailureCode;
  message: string | null;
}

export interface Output {
  path: string;
  mime: string;
  width?: number | null;
  height?: number | null;
  blurhash?: string | null;
}

export interface Generation {
  id: string;
  status: EndedStatus;
  model: string;
  input: Input;
  output: Output[] | null;
  error: Failure | null;
  created_at: string;
}

/** Once the generation is deleted and the job pruned, only the required fields are left. */
export interface Job {
  id: string;
  model?: string;
  input?: Input;
  status: Status;
  progress?: number | null;
  error?: Failure | null;
  created_at?: string;
  updated_at: string;
  generation: Generation | null;
}

export interface GenerationRequest {
  id: string;
  model: string;
  input: Input;
}

export interface Model {
  id: string;
  title: string;
  cost: number;
}

/** Why a request is still on this phone. */
export type Delay = 'offline' | 'server_busy' | 'too_many_jobs';

interface Asked {
  id: string;
  model: string;
  input: Input;
  /** Where it stands in the gallery; never changes, so nothing jumps. */
  requestedAt: string;
  updatedAt: string;
}

/** One card of the gallery. The first two are known to this phone only. */
export type Item = Asked &
  (
    | { status: 'sending'; delay: Delay | null }
    | { status: 'refused'; code: RefusalCode; message: string }
    | { status: 'queued' | 'running' | 'waiting'; progress: number | null }
    | { status: 'succeeded'; output: Output[] }
    | { status: 'failed' | 'canceled'; error: Failure }
  );

export type ItemStatus = Item['status'];

export const isPending = (item: Item) =>
  item.status === 'queued' || item.status === 'running' || item.status === 'waiting';

export const hasEnded = (item: Item) =>
  item.status === 'succeeded' || item.status === 'failed' || item.status === 'canceled';

export const promptOf = ({ input }: Pick<Item, 'input'>) => (typeof input.prompt === 'string' ? input.prompt : '');
