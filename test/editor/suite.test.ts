/** The in-host suite through @vscode/test-electron: a desktop VS Code if there is one, else the npm-installed host. */
import { join } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { stageExtension } from '../host/stage.mjs';
import { makeWorkspace, plan, ROOT } from './sample.js';

test('the suite in the extension host', async () => {
  const workspace = await makeWorkspace({ 'quick.prune.json': plan() });
  const suite = join(ROOT, '.cache/suite/index.cjs');
  await build({
    entryPoints: [join(ROOT, 'test/editor/suite/index.ts')],
    outfile: suite,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['vscode'],
  });
  try {
    const code = await runTests({
      // CODE_TEST_HOST=desktop downloads a desktop VS Code instead.
      ...(process.env.CODE_TEST_HOST === 'desktop'
        ? {}
        : { vscodeExecutablePath: process.env.CODE_TEST_HOST ?? join(ROOT, 'test/host/code.mjs') }),
      extensionDevelopmentPath: stageExtension(),
      extensionTestsPath: suite,
      launchArgs: [workspace.folder],
    });
    expect(code).toBe(0);
  } finally {
    await workspace.remove();
  }
});
