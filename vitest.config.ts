import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Tests of the extension's own logic run without an editor.
  resolve: { alias: { vscode: new URL('test/unit/extension/vscode.ts', import.meta.url).pathname } },
  test: {
    include: ['test/{unit,integration,fuzz,matrix,guards}/**/*.test.ts'],
    reporters: ['default', ['json', { outputFile: 'artifacts/results/vitest.json' }]],
    // Each node that is traced or rewritten is checked (docs/engines.md).
    env: { LC_PRUNE_VERIFY: '1' },
    setupFiles: ['test/seed.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two engines at once on a small machine starve each other and make time limits meaningless.
    maxWorkers: 2,
  },
});
