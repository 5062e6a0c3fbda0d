import { type Draft, EMPTY_DRAFT, withModel, withPhoto } from './draft';
import type { Model } from './types';

const model: Model = {
  ...{ id: 'one', title: 'One', description: '', kind: 'image', cost: 1, included: false },
  input_schema: { properties: { prompt: { type: 'string' }, image: { type: 'string', format: 'image' } } },
};

test('a model that takes fewer photos is shown no more than it is sent', () => {
  const empty: Draft = { ...EMPTY_DRAFT, model: 'many' };
  const many = ['a', 'b', 'c'].reduce((draft, id) => withPhoto(draft, 'image', { id, uri: '', path: id }), empty);
  const draft = withModel(many, model);
  expect(draft).toMatchObject({ model: 'one', values: { image: ['a'] }, photos: { image: [{ id: 'a' }] } });
});
