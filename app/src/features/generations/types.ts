/** The types of the server, generated from docs/openapi.yaml by `npm run types`, and the cards made of them. */

import type { components } from './openapi';

type Schemas = components['schemas'];

export type GenerationRequest = Schemas['GenerationRequest'];
export type Job = Schemas['Job'];
export type Generation = Schemas['Generation'];
/** Of what a model made, the files. A text has no place on a card yet. */
export type Output = Schemas['FileOutput'];
export const isFile = (output: Schemas['Output']): output is Output => 'path' in output;
export type Status = Schemas['Status'];
export type Input = GenerationRequest['input'];
export type Failure = NonNullable<Schemas['Failure']>;
export type FailureCode = Failure['code'];
export type RefusalCode = Schemas['Error']['error']['code'];

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
