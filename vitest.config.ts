import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that start processes or compute long come first, so that short ones are left at the end and the workers end together. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const short = ({ moduleId }: TestSpecification) => Number(/\/test\/(unit|guards)\//.test(moduleId));
    return (await super.sort(files)).sort((a, b) => short(a) - short(b));
  }
}

const tests = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name));

/** Replaces modules, or looks at what others register: not for a process that other files use too. */
const NEEDS_A_PROCESS = /\bvi\.(mock|doMock|resetModules)\(|^\/\/ @vitest-isolate$/m;
/** They look at what a stand-in for the editor has recorded, and draw from one stream of random numbers a process. */
const KEEPS_STATE = /^test.unit.(extension|engine.native)\b/;
const unit = tests('test/unit');
const alone = unit.filter((file) => KEEPS_STATE.test(file) || NEEDS_A_PROCESS.test(readFileSync(file, 'utf8')));
const together = unit.filter((file) => !alone.includes(file));
const others = ['integration', 'fuzz', 'matrix', 'guards'].map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  // Tests of the extension's own logic run without an editor.
  resolve: { alias: { vscode: new URL('test/unit/extension/vscode.ts', import.meta.url).pathname } },
  test: {
    // To import the product takes a file longer than most unit tests take to run: these share two processes.
    projects: [
      { extends: true, test: { name: 'unit', include: together, isolate: false } },
      { extends: true, test: { name: 'own process', include: [...others, ...alone], isolate: true } },
    ],
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
