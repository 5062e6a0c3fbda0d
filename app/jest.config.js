/** @type {import('jest').Config} */
module.exports = {
  preset: 'jest-expo',
  testTimeout: 30_000, // milliseconds; a bound for what hangs: the first test of a file waits for its modules to be compiled
  setupFiles: ['<rootDir>/jest.setup.ts'],
  cacheDirectory: '<rootDir>/../.pilotlight/cache/jest',
  moduleNameMapper: { '^@/(.*)$': '<rootDir>/src/$1' },
};
