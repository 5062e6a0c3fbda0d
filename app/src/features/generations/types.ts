/** The types of the feature. Their shapes are those of schemas.ts:
 * the part of the server's answers that this version understands. */

import type * as v from 'valibot';

import type { components } from './openapi';
import type * as schemas from './schemas';

type Schemas = components['schemas'];

export type Job = v.InferOutput<typeof schemas.job>;
export type FileOutput = v.InferOutput<typeof schemas.fileOutput>;
export type Output = Extract<Item, { status: 'succeeded' }>['output'][number];
export type Input = v.InferOutput<typeof schemas.input>;
export type Model = v.InferOutput<typeof schemas.model>;
export type Account = v.InferOutput<typeof schemas.account>;
export type Cursor = v.InferOutput<typeof schemas.cursor>;
export type Answer = v.InferOutput<typeof schemas.answer>;
export type Refusal = v.InferOutput<typeof schemas.refusal>;
export type Entry = v.InferOutput<typeof schemas.entry>;

/** The codes that this version has words for; the server may use others. */
export type FailureCode = NonNullable<Schemas['Failure']>['code'];
export type RefusalCode = Schemas['Error']['error']['code'];

/** A request that is ready to be sent. */
export type GenerationRequest = Schemas['GenerationRequest'];

/** The reason why a request is still on this phone. */
export type Delay = NonNullable<Entry['delay']>;

type Asked = Pick<Entry, 'id' | 'model' | 'input'> & {
  /** The place in the gallery. It never changes, so that nothing jumps. */
  requestedAt: string;
  updatedAt: string;
};

type Known = v.InferOutput<typeof schemas.items>[number];

/** One card of the gallery. Cards of the first two kinds are on this phone only. */
export type Item =
  | (Asked & ({ status: 'sending'; delay: Delay | null } | { status: 'refused'; code: string; message: string }))
  | Known;

export type ItemStatus = Item['status'];

/** A stored file. Its token, where the server has sent one, grants access to it for an hour. */
export type Stored = Pick<FileOutput, 'path' | 'token'>;

/** The picture of an output on the wall:
 * its small picture, or the output itself if there is none. */
export function pictureOf(output: Output | undefined): Stored | undefined {
  if (!output || !isFile(output)) return undefined;
  if (output.thumb) return { path: output.thumb, token: output.thumb_token };
  return output.kind === 'image' ? output : undefined;
}

export const isFile = (output: Output): output is FileOutput => output.kind !== 'text';

export const isPending = (item: Item) =>
  item.status === 'queued' || item.status === 'running' || item.status === 'waiting';

export const hasEnded = (item: Item): item is Extract<Item, { status: 'succeeded' | 'failed' | 'canceled' }> =>
  item.status === 'succeeded' || item.status === 'failed' || item.status === 'canceled';

/** Whether it continues by itself: on its way to the server, or there. */
export const isUnderWay = (item: Item) => !hasEnded(item) && item.status !== 'refused';

export const promptOf = ({ input }: Pick<Item, 'input'>) => (typeof input.prompt === 'string' ? input.prompt : '');

/** The model of a user who chose none: the first that needs only a prompt. */
export function firstOf(models: Model[]): Model | undefined {
  return models.find(takesPromptAlone) ?? models[0];
}

function takesPromptAlone({ input_schema: { required } }: Model): boolean {
  return !Array.isArray(required) || required.every((name) => name === 'prompt');
}

/** Whether the account is not charged for included models. */
export const isPaid = ({ is_paid, paid_until }: Account, now: number): boolean =>
  is_paid || (paid_until !== null && Date.parse(paid_until) > now);
