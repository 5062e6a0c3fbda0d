import { render, screen, userEvent } from '@testing-library/react-native';

import { EMPTY_DRAFT } from '@/features/generations/draft';
import type { Model } from '@/features/generations/types';
import { COMPOSER } from '@/texts/gallery';

import { Composer } from './composer';

const model = (properties: object): Model => ({
  ...{ id: 'm', title: 'M', description: '', kind: 'image', cost: 1, included: false },
  input_schema: { properties },
});
const onDraft = jest.fn();
const onGenerate = jest.fn();
const show = (...models: Model[]) =>
  render(<Composer {...{ models, onDraft, onGenerate, onPick: () => {} }} draft={{ ...EMPTY_DRAFT, prompt: 'a fox', values: { hd: true } }} />);

test('a model without a prompt has no box for one, and what was typed waits for a model that takes it', async () => {
  await show(model({ hd: { type: 'boolean' } }));
  expect(screen.queryByLabelText(COMPOSER.prompt)).toBeNull();
  await userEvent.press(screen.getByRole('button', { name: COMPOSER.generateFor(1) }));
  expect(onGenerate).toHaveBeenCalledWith('m', { hd: true });
  expect(onDraft).toHaveBeenLastCalledWith(expect.objectContaining({ prompt: 'a fox' }));
});

test.each([['one that takes a prompt', [model({ prompt: { type: 'string' } })]], ['one that says nothing', [model({})]], ['none yet', []]])(
  'the box is there for a model that is %s',
  async (_name, models) => {
    await show(...models);
    expect(screen.getByLabelText(COMPOSER.prompt)).toBeTruthy();
  },
);
