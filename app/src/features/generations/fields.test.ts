import { fieldsOf, inputOf, isComplete } from './fields';
import type { Model } from './types';

const model = (input_schema: object): Model => ({
  ...{ id: 'm', title: 'M', description: '', kind: 'image', cost: 1, included: false },
  input_schema: { ...input_schema },
});
const ALL = model({
  type: 'object',
  required: ['prompt', 'image'],
  properties: {
    hd: { type: 'boolean', default: true },
    prompt: { type: 'string', maxLength: 10, title: 'Prompt', 'x-order': 0 },
    image: { type: 'string', format: 'image', title: 'Start photo', 'x-order': 1 },
    style: { type: 'string', enum: ['oil', 'ink'], 'x-order': 2 },
    count: { type: 'integer', minimum: 1, maximum: 4, default: 2, 'x-order': 3 },
    strength: { type: 'number', minimum: 0, maximum: 1, 'x-order': 4 },
    references: { type: 'array', items: { type: 'string', format: 'image' }, maxItems: 3, 'x-order': 5 },
    future: { type: 'colour' },
  },
});

test('every kind of field has its control, in the order of the model; an unknown one has none', () => {
  expect(fieldsOf(ALL).map(({ name, kind }) => [name, kind])).toEqual([
    ['prompt', 'text'],
    ['image', 'photo'],
    ['style', 'choice'],
    ['count', 'number'],
    ['strength', 'number'],
    ['references', 'photo'],
    ['hd', 'switch'],
  ]);
});

test.each([[undefined], [model({})], [model({ properties: [7] })]])('a schema that says nothing gives a prompt', (bad) => {
  const fields = fieldsOf(bad).filter(({ name }) => name === 'prompt');
  expect(fields).toEqual([]);
  expect(inputOf([], 'a fox', {})).toEqual({ prompt: 'a fox' });
});

test('only what the model takes is sent, a single photo as one and many as a list', () => {
  const values = { image: ['p1'], references: ['p2', 'p3'], style: 'ink', another: 1, hd: undefined };
  const input = inputOf(fieldsOf(ALL), 'a fox', values);
  expect(input).toEqual({ prompt: 'a fox', image: 'p1', references: ['p2', 'p3'], style: 'ink' });
});

test('a required photo is waited for', () => {
  const fields = fieldsOf(ALL);
  expect(isComplete(fields, inputOf(fields, 'a fox', {}))).toBe(false);
  expect(isComplete(fields, inputOf(fields, 'a fox', { image: ['p'] }))).toBe(true);
  expect(isComplete(fields, inputOf(fields, 'a fox', { image: [] }))).toBe(false);
});

test('a value of another model, or of an older version of this one, is not sent', () => {
  const values = { image: 'p', references: ['1', '2', '3', '4'], style: 'neon', count: 9, strength: '1', hd: 'yes' };
  expect(inputOf(fieldsOf(ALL), 'a fox', values)).toEqual({ prompt: 'a fox' });
});

test('options alone ask for nothing', () => {
  const fields = fieldsOf(model({ properties: { prompt: { type: 'string' }, style: { type: 'string', enum: ['oil'] } } }));
  expect(isComplete(fields, inputOf(fields, '', { style: 'oil' }))).toBe(false);
  expect(isComplete(fields, inputOf(fields, 'a fox', {}))).toBe(true);
});

const drawn = (name: string, rule: object, required: string[] = []) =>
  fieldsOf(model({ required, properties: { prompt: { type: 'string' }, [name]: rule } })).filter((field) => field.name === name);

test('an option that shows a value although the user set none is sent if the model needs it', () => {
  const required = ['prompt', 'count', 'hd', 'style'];
  const properties = {
    ...{ prompt: { type: 'string' }, count: { type: 'integer', minimum: 1 }, hd: { type: 'boolean' } },
    style: { type: 'string', enum: ['oil', 'ink'], default: 'ink' },
  };
  const fields = fieldsOf(model({ required, properties }));
  const input = inputOf(fields, 'a fox', {});
  expect(input).toEqual({ prompt: 'a fox', count: 1, hd: false, style: 'ink' });
  expect(isComplete(fields, input)).toBe(true);
});

test.each([
  [{ type: 'integer', minimum: 1, maximum: 4, default: 99 }, 4],
  [{ type: 'integer', minimum: 1, maximum: 4, default: -99 }, 1],
  [{ type: 'integer', maximum: -1 }, -1],
  [{ type: 'integer', minimum: 5 }, 5],
])('the first value of %j is one that the server takes', (rule, initial) => {
  expect(drawn('count', rule)).toMatchObject([{ initial }]);
});

test('a part of a whole number, of another model, is not sent', () => {
  expect(inputOf(drawn('count', { type: 'integer' }), '', { count: 0.5 })).toEqual({});
  expect(inputOf(drawn('count', { type: 'number' }), '', { count: 0.5 })).toEqual({ count: 0.5 });
});

test('a prompt that is a choice is chosen', () => {
  const fields = fieldsOf(model({ required: ['prompt'], properties: { prompt: { type: 'string', enum: ['a fox', 'a boat'] } } }));
  const input = inputOf(fields, '', { prompt: 'a boat' });
  expect([input, isComplete(fields, input)]).toEqual([{ prompt: 'a boat' }, true]);
});

test('a title without letters is no name', () => {
  expect(drawn('seed', { type: 'integer', title: '' })).toMatchObject([{ title: 'seed' }]);
});

test('a field that is named like a part of every object is left to the model', () => {
  const names = ['prompt', ...Object.getOwnPropertyNames(Object.prototype)];
  const entries = names.map((name) => [name, { type: 'string', format: name === 'prompt' ? undefined : 'image' }]);
  expect(fieldsOf(model({ properties: Object.fromEntries(entries) })).map(({ name }) => name)).toEqual(['prompt']);
});
