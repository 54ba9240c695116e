import { defineConfig } from 'vitest/config';

/** Suites that drive a real VS Code or a real page: one at a time, built code only. `node test/editor/run.mjs` builds first. */
export default defineConfig({
  test: {
    reporters: ['default', ['json', { outputFile: 'artifacts/results/editor.json' }]],
    include: ['test/editor/**/*.test.ts'],
    globalSetup: ['test/editor/globalSetup.ts'],
    testTimeout: 240_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    maxWorkers: 1,
  },
});
