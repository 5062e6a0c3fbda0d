/**
 * types.ts is written by hand; here it is held against the description of the API that the backend is tested against.
 *
 * @jest-environment node
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

import {
  FAILURE_CODES,
  type Failure,
  type Generation,
  type GenerationRequest,
  type Job,
  type Output,
  REFUSAL_CODES,
  STATUSES,
} from './types';

type Fields<T> = Record<keyof T, 'required' | 'optional'>;

const JOB: Fields<Job> = {
  id: 'required',
  model: 'optional',
  input: 'optional',
  status: 'required',
  progress: 'optional',
  error: 'optional',
  created_at: 'optional',
  updated_at: 'required',
  generation: 'required',
};
const GENERATION: Fields<Generation> = {
  id: 'required',
  status: 'required',
  model: 'required',
  input: 'required',
  output: 'required',
  error: 'required',
  created_at: 'required',
};
const OUTPUT: Fields<Output> = {
  path: 'required',
  mime: 'required',
  width: 'optional',
  height: 'optional',
  blurhash: 'optional',
};
const FAILURE: Fields<Failure> = { code: 'required', message: 'required' };
const REQUEST: Fields<GenerationRequest> = { id: 'required', model: 'required', input: 'required' };

const openapi = parse(readFileSync(join(__dirname, '../../../../docs/openapi.yaml'), 'utf8'));
const { schemas } = openapi.components;

test.each([
  ['Job', JOB],
  ['Generation', GENERATION],
  ['Output', OUTPUT],
  ['Failure', FAILURE],
  ['GenerationRequest', REQUEST],
])('%s has the fields of the API', (name, fields) => {
  const schema: { properties: object; required: string[] } = schemas[name];
  const described = Object.keys(schema.properties).map((field) => [
    field,
    schema.required.includes(field) ? 'required' : 'optional',
  ]);
  expect(fields).toEqual(Object.fromEntries(described));
});

test.each([
  ['statuses', STATUSES, schemas.Status.enum],
  ['failures', FAILURE_CODES, schemas.Failure.properties.code.enum],
  ['refusals', REFUSAL_CODES, schemas.Error.properties.error.properties.code.enum],
])('the %s are those of the API', (_name, ours, described) => {
  expect([...ours].sort()).toEqual([...described].sort());
});
