/** Every call the feature makes. Each either answers, is refused for a reason, or did not get through. */

import { supabase, SUPABASE_URL } from '@/lib/supabase';

import { fromJob } from './merge';
import type { Delay, FailureCode, Generation, GenerationRequest, Item, Job, Model, RefusalCode } from './types';

const BUCKET = 'generations';
/** A multiple of any number of columns, so that a page that comes below moves no row. */
export const PAGE_SIZE = 36;
export const MOST_IDS = 50;

/** What a refused request waits for, by its code; null where a repeat cannot change the answer. */
export const DELAYS: Record<RefusalCode, Delay | null> = {
  invalid_request: null,
  unauthenticated: 'server_busy',
  insufficient_credits: null,
  unknown_model: null,
  not_found: null,
  method_not_allowed: null,
  too_slow: 'server_busy',
  id_conflict: null,
  too_large: null,
  too_many_jobs: 'too_many_jobs',
  too_many_failures: null, // until tomorrow: the person decides whether to ask again
  content_rejected: null,
  unavailable: 'server_busy',
};

/** The server refused the request; `retryAfter` is in seconds. */
export class Refused extends Error {
  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

/** No answer, or one that means nothing: it may have happened all the same. */
export class Unreachable extends Error {}

export interface Answer {
  job: Job;
  credits: number;
}

export const enqueue = (request: GenerationRequest) =>
  callFunction<Answer>('enqueue_generation', { method: 'POST', body: { ...request } });

export async function readJobs(ids: string[]): Promise<Job[]> {
  const asked = ids.slice(0, MOST_IDS).join(',');
  const { jobs } = await callFunction<{ jobs: Job[] }>(`get_job_status?ids=${asked}`, { method: 'GET' });
  return jobs;
}

async function callFunction<T>(name: string, options: { method: 'GET' | 'POST'; body?: Record<string, unknown> }): Promise<T> {
  const { data, error, response } = await supabase.functions.invoke<T>(name, options);
  if (data !== null) return data;
  const body: unknown = await response?.json().catch(() => null);
  const refusal = isRecord(body) && isRecord(body.error) ? body.error : {};
  throw refusalOf(refusal, response?.headers.get('Retry-After')) ?? new Unreachable(`${name}: ${String(error)}`);
}

export async function cancel(id: string): Promise<Answer> {
  const { data, error } = await supabase.rpc('cancel_generation', { p_id: id });
  if (error) throw refusalOf(error, null) ?? new Unreachable(error.message);
  return data as Answer;
}

export async function listModels(): Promise<Model[]> {
  const { data, error } = await supabase.rpc('list_models');
  if (error) throw new Unreachable(error.message);
  return (data as { models: Model[] }).models;
}

export interface Account {
  credits: number;
  is_paid: boolean;
}

export async function readAccount(): Promise<Account> {
  const { data, error } = await supabase.from('entitlements').select('credits, is_paid').single<Account>();
  if (error) throw new Unreachable(error.message);
  return data;
}

interface GenerationRow extends Omit<Generation, 'error'> {
  error_code: FailureCode | null;
  error_message: string | null;
  requested_at: string;
}

export interface Page {
  items: Item[];
  cursor: string | null;
}

/** Ended generations, the last ended first; `before` is the cursor of the page above. */
export async function readPage(before: string | null): Promise<Page> {
  const columns = 'id, model:model_id, input, status, output, error_code, error_message, requested_at, created_at';
  const query = supabase.from('generations').select(columns);
  const { data, error } = await (before ? query.lt('created_at', before) : query)
    .order('created_at', { ascending: false })
    .limit(PAGE_SIZE)
    .overrideTypes<GenerationRow[], { merge: false }>();
  if (error) throw new Unreachable(error.message);
  const last = data.length === PAGE_SIZE ? data.at(-1) : undefined;
  return { items: data.flatMap(fromGenerationRow), cursor: last?.created_at ?? null };
}

/** The user's unfinished jobs, of all devices. */
export async function readUnfinished(): Promise<Item[]> {
  const { data, error } = await supabase
    .from('jobs')
    .select('id, model:model_id, input, status, progress, created_at, updated_at')
    .in('status', ['queued', 'running', 'waiting'])
    .order('created_at', { ascending: false })
    .limit(MOST_IDS)
    .overrideTypes<Omit<Job, 'generation'>[], { merge: false }>();
  if (error) throw new Unreachable(error.message);
  return data.flatMap((row) => toItem({ ...row, generation: null }));
}

function fromGenerationRow({ error_code: code, error_message: message, requested_at, ...row }: GenerationRow): Item[] {
  const generation = { ...row, error: code && { code, message } };
  return toItem({ ...generation, created_at: requested_at, updated_at: row.created_at, generation });
}

const toItem = (job: Job): Item[] => [fromJob(job) ?? []].flat();

export async function remove(id: string): Promise<void> {
  const { error } = await supabase.from('generations').delete().eq('id', id);
  if (error) throw new Unreachable(error.message);
}

/** The URL of a picture, from its path and a token that reads it. */
export const urlOf = (path: string, token: string) =>
  `${SUPABASE_URL}/storage/v1/object/sign/${BUCKET}/${path}?token=${token}`;

/** The paths that could be signed, with their URLs. */
export async function signPaths(paths: string[], seconds: number): Promise<Map<string, string>> {
  const { data, error } = await supabase.storage.from(BUCKET).createSignedUrls(paths, seconds);
  if (error) throw new Unreachable(error.message);
  return new Map(data.flatMap(({ path, signedUrl }) => (path && signedUrl ? [[path, signedUrl]] : [])));
}

function refusalOf(error: unknown, retryAfter: string | null | undefined): Refused | null {
  if (!isRecord(error) || typeof error.message !== 'string' || !isRefusalCode(error.code)) return null;
  return new Refused(error.code, error.message, Number(retryAfter) || null);
}

function isRefusalCode(code: unknown): code is RefusalCode {
  return typeof code === 'string' && Object.hasOwn(DELAYS, code);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
