/** Every call the feature makes. Each either answers, is refused for a reason, or did not get through. */

import * as v from 'valibot';

import { listOf, parsed, type Schema } from '@/lib/parse';
import { supabase, SUPABASE_URL } from '@/lib/supabase';

import { fromJob } from './merge';
import * as schemas from './schemas';
import type { Delay, GenerationRequest, Item, Job, Model, Refusal } from './types';

const BUCKET = 'generations';
/** A multiple of any number of columns, so that a page that comes below moves no row. */
export const PAGE_SIZE = 36;
export const MOST_IDS = 50;

/** The server will not do it; asking again cannot change that. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Not done yet, as far as we know: no answer, one that means nothing, or one that says to ask again. */
export class Unreachable extends Error {
  constructor(
    message = '',
    readonly delay: Delay = 'offline',
    /** In seconds. */
    readonly retryAfter: number | null = null,
    /** The token was refused: it may not name a user any more. */
    readonly isUnauthenticated = false,
  ) {
    super(message);
  }
}

export const enqueue = (request: GenerationRequest) =>
  callFunction('enqueue_generation', schemas.answer, { method: 'POST', body: { ...request } });

export async function readJobs(ids: string[]): Promise<Job[]> {
  const asked = ids.slice(0, MOST_IDS).join(',');
  const { jobs } = await callFunction(`get_job_status?ids=${asked}`, schemas.jobs, { method: 'GET' });
  return jobs;
}

interface Call {
  method: 'GET' | 'POST';
  body?: Record<string, unknown>;
}

async function callFunction<S extends Schema>(name: string, schema: S, call: Call): Promise<v.InferOutput<S>> {
  const { data, error, response } = await supabase.functions.invoke<unknown>(name, call);
  if (!error) return understood(name, schema, data);
  const body = parsed(schemas.refused, await response?.json().catch(() => null));
  throw meaningOf(response?.status ?? 0, body?.error ?? null, response?.headers.get('Retry-After'));
}

async function callRpc<S extends Schema>(name: string, schema: S, values?: Record<string, unknown>): Promise<v.InferOutput<S>> {
  const { data, error, status } = await supabase.rpc(name, values);
  if (!error) return understood(name, schema, data);
  throw meaningOf(status, parsed(schemas.refusal, error), null);
}

/** A hotel's sign-in page answers every question with 200. */
function understood<S extends Schema>(name: string, schema: S, data: unknown): v.InferOutput<S> {
  const answer = parsed(schema, data);
  if (answer === null) throw new Unreachable(`${name}: an answer that means nothing`);
  return answer;
}

const PASSING = [401, 408, 425, 429];
const UNEXPLAINED = 'The server refused this request.';

/** Decide by the status what a refusal means, so that codes which this version does not know need no decision. Pure. */
export function meaningOf(status: number, said: Refusal | null, retryAfter: string | null | undefined): Error {
  const isFinal = status >= 400 && status < 500 && !PASSING.includes(status);
  if (isFinal) return new Refused(said?.code ?? (status === 413 ? 'too_large' : `http_${status}`), said?.message || UNEXPLAINED);
  const delay = status === 0 ? 'offline' : said?.code === 'too_many_jobs' ? 'too_many_jobs' : 'server_busy';
  return new Unreachable(`${status} ${said?.message}`, delay, Number(retryAfter) || null, status === 401);
}

export const cancel = (id: string) => callRpc('cancel_generation', schemas.answer, { p_id: id });

export async function listModels(): Promise<Model[]> {
  const { models } = await callRpc('list_models', v.object({ models: schemas.models }));
  return models;
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

interface GenerationRow {
  output: unknown;
  error_code: unknown;
  error_message: unknown;
  requested_at: unknown;
  created_at: string;
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
    .limit(PAGE_SIZE);
  if (error) throw new Unreachable(error.message);
  const last = data.length === PAGE_SIZE ? data.at(-1) : undefined;
  return { items: toItems(data.map(fromGenerationRow)), cursor: last?.created_at ?? null };
}

/** The user's unfinished jobs, of all devices. */
export async function readUnfinished(): Promise<Item[]> {
  const { data, error } = await supabase
    .from('jobs')
    .select('id, model:model_id, input, status, progress, created_at, updated_at')
    .in('status', ['queued', 'running', 'waiting'])
    .order('created_at', { ascending: false })
    .limit(MOST_IDS);
  if (error) throw new Unreachable(error.message);
  return toItems(data);
}

const fromGenerationRow = ({ output, error_code: code, error_message: message, requested_at, created_at, ...row }: GenerationRow) => ({
  ...row,
  created_at: requested_at,
  updated_at: created_at,
  generation: { output, error: { code, message } },
});

const toItems = (rows: unknown[]): Item[] =>
  (parsed(listOf(schemas.job), rows) ?? []).flatMap((row) => fromJob(row) ?? []);

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
