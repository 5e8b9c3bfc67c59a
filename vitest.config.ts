import { defineConfig } from 'vitest/config';

/** Real-server suites start processes of their own, so they get generous time limits; no test asserts on time. */
const withServers = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/contract/**', 'test/e2e/**', 'test/faults/**'],
          testTimeout: 20_000,
          setupFiles: ['test/support/no-leaks.ts'],
        },
      },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], ...withServers } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...withServers } },
      { test: { name: 'faults', include: ['test/faults/**/*.test.ts'], ...withServers } },
    ],
    maxWorkers: 2,
  },
});
