/** @type {import('jest').Config} */
module.exports = {
  preset: 'jest-expo',
  // Milliseconds. The bound for a hanging test: the first test of a file waits for its modules to
  // be compiled.
  testTimeout: 30_000,
  setupFiles: ['<rootDir>/jest.setup.ts'],
  cacheDirectory: '<rootDir>/../.pilotlight/cache/jest',
  moduleNameMapper: { '^@/(.*)$': '<rootDir>/src/$1' },
};
