const { defineConfig } = require('eslint/config');
const expoConfig = require('eslint-config-expo/flat');

// The words that users read belong in src/texts: sentences in any file, and any word that a
// component shows.
const LETTER = '/[A-Za-z]/';
const SENTENCE = '/^[A-Z][a-z’]*([.…!?]$|[ ,:] ?[a-z0-9])/';
const SHOWN_BY = [
  'JSXAttribute[name.name=/^(label|sureLabel|title|text|of|placeholder|aria-label|accessibilityLabel)$/]',
  'JSXAttribute[name.name=/^(label|sureLabel|title|text|of|placeholder|aria-label|accessibilityLabel)$/] > JSXExpressionContainer',
  'JSXElement > JSXExpressionContainer',
  'Property[key.name=/^(label|word|text|title|description)$/]',
];
const literals = (place, pattern) => [`${place} Literal[value=${pattern}]`, `${place} TemplateElement[value.raw=${pattern}]`];
const IN_TEXTS = [
  `JSXText[value=${LETTER}]`,
  ...SHOWN_BY.flatMap((place) => [
    ...literals(`${place} >`, LETTER),
    ...literals(`${place} > TemplateLiteral >`, LETTER),
    ...['consequent', 'alternate'].map((part) => `${place} > ConditionalExpression > Literal.${part}[value=${LETTER}]`),
  ]),
  ...literals('', SENTENCE),
].map((selector) => ({ selector, message: 'Put what a person reads into src/texts, where it can be translated.' }));

module.exports = defineConfig([
  { ignores: ['dist/*', '.expo/*'] },
  expoConfig,
  {
    files: ['**/*.ts', '**/*.tsx'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
  },
  // This bounds comments. Code may be longer.
  { ignores: ['**/openapi.ts'], rules: { 'max-len': ['error', { code: 1000, comments: 100 }] } },
  // Components only draw. Only lib creates a client, and the feature imports no screen.
  { files: ['src/components/**'], rules: { 'no-restricted-imports': ['error', { paths: ['@/features/generations'], patterns: ['@/lib/*', '@/app/*', '@supabase/*', '@tanstack/*'] }] } },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    ignores: ['src/texts/**', '**/*.test.*', '**/openapi.ts'],
    rules: { 'no-restricted-syntax': ['error', ...IN_TEXTS] },
  },
  { files: ['src/features/generations/**'], rules: { 'no-restricted-imports': ['error', { patterns: ['@/components/*', '@/app/*'] }] } },
]);
