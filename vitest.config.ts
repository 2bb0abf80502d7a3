import { defineConfig } from 'vitest/config';

// One project a tier. Tiers that open sockets or start processes run file by file: the machines that
// run them have two cores, and a test that waits for CPU is a test that fails for no reason.
const tier = (name: string, options: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
});

const slow = { fileParallelism: false, testTimeout: 30_000, hookTimeout: 30_000 };

export default defineConfig({
  test: {
    projects: [
      tier('unit', { testTimeout: 30_000 }),
      tier('contract', { testTimeout: 30_000 }),
      tier('architecture'),
      tier('integration', slow),
      // Once more what stands on wires, on the form that runs where the hooks of the fast one are missing.
      {
        test: {
          name: 'integration-plain',
          include: ['test/integration/proxy/**/*.test.ts', 'test/integration/tls.test.ts'],
          env: { HERALD_TEST_FORM: 'plain' },
          ...slow,
        },
      },
      // `npm run test:long`: what takes minutes, or hundreds of megabytes of tools.
      tier('long', { ...slow, testTimeout: 240_000, hookTimeout: 60_000 }),
      // Whole processes on a machine that others may load: CI gives each a second try and names it in the output.
      // At a desk nothing is tried again, so that a race is seen.
      tier('e2e', {
        ...slow,
        testTimeout: 120_000,
        hookTimeout: 60_000,
        retry: process.env['CI'] === 'true' ? 1 : 0,
      }),
    ],
    coverage: { include: ['src/**'], reporter: ['text-summary', 'json-summary'] },
  },
});
