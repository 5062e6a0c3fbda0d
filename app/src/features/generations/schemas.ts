/** The shapes of server answers and of values on disk, as far as this version understands them.
 * Unknown fields are ignored. */

import * as v from 'valibot';

import { listOf, maybe } from '@/lib/parse';

/** A time that Date can parse: any other would throw wherever a card is placed or dated. */
export const time = v.pipe(v.string(), v.check((text) => Number.isFinite(Date.parse(text))));
export const input = v.record(v.string(), v.unknown());
const progress = maybe(v.pipe(v.number(), v.minValue(0), v.maxValue(1)));
const size = maybe(v.pipe(v.number(), v.gtValue(0), v.finite()));
/** A valid blurhash: a malformed one throws while it is drawn. */
const blurhash = maybe(v.pipe(v.string(), v.check(isBlurhash)));

export const fileOutput = v.object({
  kind: v.picklist(['image', 'video', 'audio']),
  path: v.string(),
  mime: v.fallback(v.string(), ''),
  width: size,
  height: size,
  blurhash,
  thumb: maybe(v.string()),
  duration: size,
  token: maybe(v.string()),
  thumb_token: maybe(v.string()),
});
const textOutput = v.object({ kind: v.literal('text'), text: v.string() });
const outputs = listOf(v.union([fileOutput, textOutput]));

export const failure = v.object({ code: v.string(), message: maybe(v.string()) });

/** Null means deleted.
 * An unreadable generation was not deleted: its card stays in sight without a result. */
const generation = v.fallback(v.nullable(v.object({ output: maybe(outputs), error: maybe(failure) })), { output: null, error: null });

export const job = v.object({
  id: v.string(),
  model: v.fallback(v.string(), ''),
  input: v.fallback(input, {}),
  status: v.string(),
  progress,
  created_at: maybe(time),
  updated_at: time,
  generation,
});

const asked = {
  id: v.string(),
  model: v.nullable(v.string()),
  input,
  requestedAt: time,
  updatedAt: time,
};

/** A card that the server has. An unreadable card is dropped, and comes again from the server. */
const item = v.variant('status', [
  v.object({ ...asked, status: v.picklist(['queued', 'running', 'waiting']), progress }),
  v.object({ ...asked, status: v.literal('succeeded'), output: outputs }),
  v.object({ ...asked, status: v.picklist(['failed', 'canceled']), error: failure }),
]);
export const items = listOf(item);
export const card = maybe(item);

const delay = v.picklist(['offline', 'server_busy', 'too_many_jobs', 'signed_out']);
export const refusal = v.object({ code: v.string(), message: v.fallback(v.string(), '') });

export const entry = v.object({
  id: v.string(),
  /** Null for the first model that the server offers: the phone has never loaded the list. */
  model: v.nullable(v.string()),
  input,
  /** The user who made the request and is charged.
   * Null on a phone that has had no user yet: then the first user who signs in. */
  userId: v.nullable(v.string()),
  requestedAt: time,
  /** Whether the request may have reached the server. */
  isTried: v.boolean(),
  /** Whether the user canceled it on this phone before the server had answered. */
  isWithdrawn: v.boolean(),
  delay: maybe(delay),
  refusal: v.nullable(refusal),
});

const draftPhoto = v.object({ id: v.string(), uri: v.fallback(v.string(), ''), path: v.fallback(v.optional(v.string()), undefined) });
export const draft = v.object({
  model: maybe(v.string()),
  prompt: v.fallback(v.string(), ''),
  values: v.fallback(input, {}),
  photos: v.fallback(v.record(v.string(), v.fallback(listOf(draftPhoto), [])), {}),
});

export const refused = v.object({ error: refusal });
export const jobs = v.object({ jobs: listOf(job) });
export const cursor = v.object({ at: time, id: v.string() });
export const gallery = v.object({
  page: listOf(job),
  cursor: maybe(cursor),
  unfinished: listOf(job),
  asked: listOf(job),
});
export const account = v.object({
  credits: v.number(),
  owed: v.optional(v.fallback(v.number(), 0)),
  is_paid: v.fallback(v.boolean(), false),
  paid_until: maybe(time),
});
export const answer = v.object({ job, credits: v.number() });

export const model = v.object({
  id: v.string(),
  title: v.string(),
  description: v.fallback(v.string(), ''),
  kind: v.fallback(v.string(), 'image'),
  cost: v.number(),
  included: v.fallback(v.boolean(), false),
  input_schema: v.fallback(input, {}),
});
export const models = listOf(model);

export const signedUrls = v.record(v.string(), v.object({ url: v.string(), expiresAt: v.number() }));

const BASE_83 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~';

/** Whether a blurhash is well-formed:
 * its first character gives the number of colours that follow. */
function isBlurhash(text: string): boolean {
  const count = BASE_83.indexOf(text.charAt(0));
  const colours = ((count % 9) + 1) * (Math.floor(count / 9) + 1);
  return text.length === 4 + 2 * colours && [...text].every((letter) => BASE_83.includes(letter));
}
