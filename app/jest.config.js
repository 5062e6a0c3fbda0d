/** @type {import('jest').Config} */
module.exports = {
  preset: 'jest-expo',
  setupFiles: ['<rootDir>/jest.setup.ts'],
  cacheDirectory: '<rootDir>/../.pilotlight/cache/jest',
  moduleNameMapper: { '^@/(.*)$': '<rootDir>/src/$1' },
};
