import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,integration,fuzz}/**/*.test.ts'],
    reporters: ['default', ['json', { outputFile: 'artifacts/results/vitest.json' }]],
    setupFiles: ['test/seed.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two engines at once on a small machine starve each other and make time limits meaningless.
    maxWorkers: 2,
  },
});
