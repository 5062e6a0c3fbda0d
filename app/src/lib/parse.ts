/** Parsing of data from outside of this app: a schema keeps its own fields and ignores others. */

import * as v from 'valibot';

export type Schema = v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>;

export function parsed<S extends Schema>(schema: S, value: unknown): v.InferOutput<S> | null {
  const result = v.safeParse(schema, value);
  return result.success ? result.output : null;
}

/** A list without its unreadable members. */
export const listOf = <S extends Schema>(schema: S) =>
  v.pipe(
    v.array(v.unknown()),
    v.transform((values) => values.map((value) => parsed(schema, value)).filter((value) => value !== null)),
  );

/** The value, or null if it is missing or of another kind. */
export const maybe = <S extends Schema>(schema: S) => v.fallback(v.nullable(schema), null);
