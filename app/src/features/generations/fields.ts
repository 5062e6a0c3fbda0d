/** The controls for the fields in a model's `input_schema`. Pure. */

import * as v from 'valibot';

import { listOf, maybe, parsed } from '@/lib/parse';

import type { Input, Model } from './types';

interface Named {
  name: string;
  title: string;
  isRequired: boolean;
}

export type Choice = string | number;

type Control =
  | { kind: 'text'; longest: number }
  | { kind: 'photo'; most: number; isList: boolean }
  | { kind: 'choice'; choices: Choice[]; initial: Choice | undefined }
  | { kind: 'number'; isWhole: boolean; least: number; most: number; step: number; initial: number }
  | { kind: 'switch'; initial: boolean };

export type Field = Named & Control;

const rule = v.object({
  type: v.picklist(['string', 'integer', 'number', 'boolean', 'array']),
  title: maybe(v.string()),
  format: maybe(v.string()),
  enum: maybe(listOf(v.union([v.string(), v.number()]))),
  default: v.optional(v.unknown()),
  minimum: maybe(v.number()),
  maximum: maybe(v.number()),
  maxLength: maybe(v.number()),
  maxItems: maybe(v.number()),
  'x-order': v.fallback(v.number(), Infinity),
});
const schema = v.object({
  required: v.fallback(listOf(v.string()), []),
  properties: v.fallback(v.record(v.string(), v.unknown()), {}),
});

type Rule = v.InferOutput<typeof rule>;

/** Characters, for a text whose model gives no limit. */
export const LONGEST_TEXT = 2000;

/** Return the fields in the order of the model. The model's default applies to a field that this
 * version cannot draw, and to one named like a member of every object, such as `constructor`. */
export function fieldsOf(model: Model | undefined): Field[] {
  const { required, properties } = parsed(schema, model?.input_schema) ?? { required: [], properties: {} };
  return Object.entries(properties)
    .flatMap(([name, value]) => {
      const known = parsed(rule, value);
      // Values are looked up by name, and every object has a member of such a name.
      return known && !(name in Object.prototype) ? [{ name, known }] : [];
    })
    .sort((one, other) => order(one.known) - order(other.known))
    .map(({ name, known }) => ({
      ...{ name, title: known.title || name, isRequired: required.includes(name) },
      ...controlOf(known),
    }));
}

const order = (known: Rule) => Math.min(known['x-order'], Number.MAX_SAFE_INTEGER);

function controlOf(known: Rule): Control {
  const { type, minimum, maximum } = known;
  if (type === 'array') return { kind: 'photo', most: known.maxItems ?? 1, isList: true };
  if (known.enum) return { kind: 'choice', choices: known.enum, initial: known.enum.find((choice) => choice === known.default) };
  if (type === 'boolean') return { kind: 'switch', initial: known.default === true };
  if (type === 'string') {
    return known.format === 'image'
      ? { kind: 'photo', most: 1, isList: false }
      : { kind: 'text', longest: known.maxLength ?? LONGEST_TEXT };
  }
  const isWhole = type === 'integer';
  const most = maximum ?? Number.MAX_SAFE_INTEGER;
  const least = minimum ?? Math.min(0, most);
  const step = isWhole || most - least > 10 ? 1 : (most - least) / 20;
  const initial = typeof known.default === 'number' ? Math.min(most, Math.max(least, known.default)) : least;
  return { kind: 'number', isWhole, least, most, step, initial };
}

/** The values that the user set, as far as this model takes them.
 * A mark stands for a photo until it is sent. */
export function inputOf(fields: Field[], prompt: string, values: Input): Input {
  const set = fields.flatMap(({ name, isRequired, ...field }) => {
    const given = name === 'prompt' && field.kind === 'text' ? prompt : values[name];
    // A control that shows a value before the user sets one sends it if the model requires it.
    const value = isRequired && 'initial' in field && !takes(field, given) ? field.initial : given;
    if (!takes(field, value)) return [];
    return [[name, field.kind === 'photo' && Array.isArray(value) && !field.isList ? value[0] : value] as const];
  });
  // A model whose fields are not known yet takes a prompt, as all models do.
  return fields.length === 0 ? { prompt } : Object.fromEntries(set);
}

/** Whether a field takes a value. It may be from another model, or an older version of this one. */
function takes(field: Control, value: unknown): boolean {
  switch (field.kind) {
    case 'text':
      return typeof value === 'string' && value !== '';
    case 'photo':
      return Array.isArray(value) && value.length > 0 && value.length <= field.most;
    case 'choice':
      return field.choices.some((choice) => choice === value);
    case 'number':
      return typeof value === 'number' && value >= field.least && value <= field.most && (!field.isWhole || Number.isInteger(value));
    case 'switch':
      return typeof value === 'boolean';
    default:
      return field satisfies never;
  }
}

/** Whether the input has all that the model requires, and a prompt or a photo if it takes one. */
export function isComplete(fields: Field[], input: Input): boolean {
  const isGiven = ({ name }: Named) => input[name] !== undefined && input[name] !== '';
  const subjects = fields.filter(({ name, kind }) => name === 'prompt' || kind === 'photo');
  if (subjects.length > 0 ? !subjects.some(isGiven) : input.prompt === '') return false;
  return fields.every((field) => !field.isRequired || isGiven(field));
}
