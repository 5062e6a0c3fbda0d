const { defineConfig } = require('eslint/config');
const expoConfig = require('eslint-config-expo/flat');

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
  // Components paint; only lib makes a client, and the feature knows no screen.
  { files: ['src/components/**'], rules: { 'no-restricted-imports': ['error', { paths: ['@/features/generations'], patterns: ['@/lib/*', '@/app/*', '@supabase/*', '@tanstack/*'] }] } },
  { files: ['src/features/generations/**'], rules: { 'no-restricted-imports': ['error', { patterns: ['@/components/*', '@/app/*'] }] } },
]);
