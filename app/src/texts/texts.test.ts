/** @jest-environment node */

import { Linter } from 'eslint';

const config: Linter.Config[] = jest.requireActual('../../eslint.config.js');
const linter = new Linter({ cwd: process.cwd() });

/** The number of faults that our rule finds in this code. */
const refused = (code: string, filename = 'src/components/sample.tsx') => {
  const said = linter.verify(code, config, { filename });
  expect(said.filter(({ fatal }) => fatal)).toEqual([]);
  return said.filter(({ ruleId }) => ruleId === 'no-restricted-syntax').length;
};
const component = (shown: string) => `export const Sample = ({ is }) => ${shown};\n`;

test.each([
  '<Words>Nothing yet</Words>',
  "<Words>{'again'}</Words>",
  "<Words>{is ? 'Less' : null}</Words>",
  '<Words>{`${is} of 3`}</Words>',
  '<Button label="Retry" />',
  "<Button label={is ? 'Less' : is} />",
  '<Pressable aria-label={`Open: ${is}`} />',
  '<Input placeholder="prompt" />',
])('a component shows no word that a translator does not find: %s', (shown) => {
  expect(refused(component(shown))).toBeGreaterThan(0);
});

test.each(["report('It is not here yet.');", "report(`Wait a moment, ${1}`);", "report('Deleted.', { label: 'Undo' });", "throw new Error('It is gone.');"])(
  'nor is one said by other code: %s',
  (code) => {
    expect(refused(code, 'src/features/gallery/sample.ts')).toBeGreaterThan(0);
  },
);

test.each(['<Words kind="small" tone="muted">{is}</Words>', '<Sign name="account" />', "<Button kind={is ? 'primary' : 'quiet'} />"])(
  'a word that no person reads may stand where it is used: %s',
  (shown) => {
    expect(refused(component(shown))).toBe(0);
  },
);
