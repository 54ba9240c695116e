// npm run screenshots: the pictures of README and walkthrough, from a real VS Code with real runs, into docs/screenshots.
import { execFileSync, spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installHost } from '../host/install.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
installHost('newest');
execFileSync(process.execPath, [join(root, 'esbuild.mjs')], { cwd: root, stdio: 'inherit' });
const { status } = spawnSync(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'vitest.editor.config.ts', 'screenshots.test'],
  { cwd: root, stdio: 'inherit', env: { ...process.env, SCREENSHOTS: '1', CODE_TEST_VERSION: 'newest' } },
);
process.exit(status ?? 1);
