import { defineConfig } from 'vitest/config';

const limits = { globalSetup: ['test/editor/globalSetup.ts'], testTimeout: 240_000, hookTimeout: 300_000 };

/** Suites that drive real pages, two at a time, then a real VS Code, one. Built code only: `node test/editor/run.mjs` builds first. */
export default defineConfig({
  test: {
    reporters: ['default', ['json', { outputFile: 'artifacts/results/editor.json' }]],
    projects: [
      {
        test: {
          ...limits,
          name: 'page',
          include: ['test/editor/page/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...limits,
          name: 'window',
          include: ['test/editor/*.test.ts'],
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
