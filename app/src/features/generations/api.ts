/** All server calls of the feature.
 * Each one returns a result, throws Refused, or throws Unreachable. */

import * as v from 'valibot';

import { parsed, type Schema } from '@/lib/parse';
import { supabase, SUPABASE_URL } from '@/lib/supabase';
import { REFUSED } from '@/texts/generations';

import { fromJob } from './merge';
import * as schemas from './schemas';
import type { Account, Answer, Cursor, Delay, GenerationRequest, Item, Job, Model, Refusal } from './types';

const BUCKET = 'generations';
const INPUTS = 'inputs';
const PHOTO_SHOWN_FOR = 3600; // seconds
export const MOST_IDS = 50;

/** The server declined the request, and a retry cannot change that. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The request is not done yet, as far as the app can tell:
 * no answer, one without a meaning, or one that demands a retry. */
export class Unreachable extends Error {
  constructor(
    message = '',
    readonly delay: Delay = 'offline',
    /** In seconds. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

/** Request a generation.
 * The token is chosen here, because another user may sign in while the client looks for one. */
export async function enqueue(request: GenerationRequest, userId: string): Promise<Answer> {
  const { data } = await supabase.auth.getSession();
  if (data.session?.user.id !== userId) throw new Unreachable('this user is not signed in now');
  const headers = { Authorization: `Bearer ${data.session.access_token}` };
  return callFunction('enqueue_generation', schemas.answer, { method: 'POST', body: { ...request }, headers });
}

export async function readJobs(ids: string[]): Promise<Job[]> {
  const asked = ids.slice(0, MOST_IDS).join(',');
  const { jobs } = await callFunction(`get_job_status?ids=${asked}`, schemas.jobs, { method: 'GET' });
  return jobs;
}

interface Call {
  method: 'GET' | 'POST';
  body?: Record<string, unknown>;
  headers?: Record<string, string>;
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

/** Parse an answer, or throw Unreachable: a hotel's sign-in page answers every request with 200. */
function understood<S extends Schema>(name: string, schema: S, data: unknown): v.InferOutput<S> {
  const answer = parsed(schema, data);
  if (answer === null) throw new Unreachable(`${name}: an answer that means nothing`);
  return answer;
}

const PASSING = [401, 408, 425, 429];

/** Decide by the status what a refusal means,
 * so that codes unknown to this version need no decision. Pure. */
export function meaningOf(status: number, said: Refusal | null, retryAfter: string | null | undefined): Error {
  const isFinal = status >= 400 && status < 500 && !PASSING.includes(status);
  if (isFinal) return new Refused(said?.code ?? (status === 413 ? 'too_large' : `http_${status}`), said?.message || REFUSED.unexplained);
  return new Unreachable(`${status} ${said?.message}`, delayOf(status, said), Number(retryAfter) || null);
}

function delayOf(status: number, said: Refusal | null): Delay {
  if (status === 0) return 'offline';
  if (status === 401) return 'signed_out';
  return said?.code === 'too_many_jobs' ? 'too_many_jobs' : 'server_busy';
}

export const cancel = (id: string) => callRpc('cancel_generation', schemas.answer, { p_id: id });

export async function listModels(): Promise<Model[]> {
  const { models } = await callRpc('list_models', v.object({ models: schemas.models }));
  return models;
}

export async function readAccount(): Promise<Account> {
  const { data, error, status } = await supabase.from('entitlements').select('credits, owed, is_paid, paid_until').single();
  if (error) throw meaningOf(status, null, null);
  return understood('entitlements', schemas.account, data);
}

export interface Page {
  /** Ended generations, the most recently ended first. */
  items: Item[];
  cursor: Cursor | null;
  /** The user's unfinished jobs on all devices, and the jobs among the requested ids. */
  jobs: Job[];
}

/** Read all that the gallery shows, as of one moment:
 * the page below this cursor, and the state of unfinished jobs. */
export async function readGallery(before: Cursor | null, ids: string[]): Promise<Page> {
  const { page, cursor, unfinished, asked } = await callRpc('read_gallery', schemas.gallery, {
    p_before_at: before?.at ?? null,
    p_before_id: before?.id ?? null,
    p_ids: ids,
  });
  return { items: page.flatMap((job) => fromJob(job) ?? []), cursor, jobs: [...unfinished, ...asked] };
}

export async function remove(id: string): Promise<void> {
  const { error, status } = await supabase.from('generations').delete().eq('id', id);
  if (error) throw meaningOf(status, parsed(schemas.refusal, error), null);
}

export const REPORT_REASONS = ['sexual', 'violent', 'hateful', 'real_person', 'copyright', 'other'] as const;
export type ReportReason = (typeof REPORT_REASONS)[number];

/** Report a generation to the operators. A repeat is harmless. The text may have 500 characters. */
export async function reportGeneration(id: string, reason: ReportReason, text: string): Promise<void> {
  const { error, status } = await supabase.rpc('report_generation', { p_id: id, p_reason: reason, p_text: text || null });
  if (error) throw meaningOf(status, parsed(schemas.refusal, error), null);
}

/** Upload a photo for a model to a path of the user's own.
 * If the path exists, it has the same photo already. */
export async function uploadPhoto(path: string, bytes: ArrayBuffer): Promise<void> {
  const { error } = await supabase.storage.from(INPUTS).upload(path, bytes, { contentType: 'image/jpeg' });
  if (!error) return;
  const status = 'statusCode' in error ? Number(error.statusCode) : 0;
  if (status === 409) return;
  // Storage answers 403 to an expired token, too. Only the policy's own refusal is final.
  const isPassing = status === 403 && !error.message.includes('row-level security');
  throw meaningOf(isPassing ? 503 : status || 0, { code: 'photo_refused', message: REFUSED.photoRefused }, null);
}

/** The URL of a picture, from its path and a token that grants access to it. */
export const urlOf = (path: string, token: string) =>
  `${SUPABASE_URL}/storage/v1/object/sign/${BUCKET}/${path}?token=${token}`;

/** Return a URL of a photo on the server: one of the user's own, or an earlier result. */
export async function photoUrl(path: string): Promise<string> {
  const bucket = path.split('/').length > 2 ? BUCKET : INPUTS;
  const { data, error } = await supabase.storage.from(bucket).createSignedUrl(path, PHOTO_SHOWN_FOR);
  if (error) throw new Unreachable(error.message);
  return data.signedUrl;
}

/** Sign paths. Returns those that could be signed, with their URLs. */
export async function signPaths(paths: string[], seconds: number): Promise<Map<string, string>> {
  const { data, error } = await supabase.storage.from(BUCKET).createSignedUrls(paths, seconds);
  if (error) throw new Unreachable(error.message);
  return new Map(data.flatMap(({ path, signedUrl }) => (path && signedUrl ? [[path, signedUrl]] : [])));
}
