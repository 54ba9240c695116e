import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that start processes or compute long come first, so that short ones are left at the end and the workers end together. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const short = ({ moduleId }: TestSpecification) => Number(/\/test\/(unit|guards)\//.test(moduleId));
    return (await super.sort(files)).sort((a, b) => short(a) - short(b));
  }
}

export default defineConfig({
  // Tests of the extension's own logic run without an editor.
  resolve: { alias: { vscode: new URL('test/unit/extension/vscode.ts', import.meta.url).pathname } },
  test: {
    include: ['test/{unit,integration,fuzz,matrix,guards}/**/*.test.ts'],
    reporters: [
      'default',
      ['json', { outputFile: process.env['LC_PRUNE_RESULTS'] ?? 'artifacts/results/vitest.json' }],
    ],
    sequence: { sequencer: LongestFirst },
    // Each node that is traced or rewritten is checked (docs/engines.md). No test judges a latency (daemon/export/latency.ts).
    env: { LC_PRUNE_VERIFY: '1', LC_PRUNE_BRIEF_LATENCY: '1' },
    setupFiles: ['test/seed.ts'],
    // A slow machine that does other work beside takes a minute for the longest.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Two engines at once on a small machine starve each other and make time limits meaningless.
    maxWorkers: 2,
  },
});
