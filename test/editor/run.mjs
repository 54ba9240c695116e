// The editor tests: npm run test:editor [-- --newest] [-- FILTER...]
// Builds, then drives a real VS Code: the floor version of package.json's engines.vscode, or the newest.
import { execFileSync, spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installHost } from '../host/install.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const version = process.argv.includes('--newest') ? 'newest' : 'floor';
const rest = process.argv.slice(2).filter((argument) => argument !== '--newest');

const host = installHost(version);
console.log(`VS Code host: code-server ${host.version} (${version}), Chromium ${host.chromium}`);
execFileSync(process.execPath, [join(root, 'esbuild.mjs')], { cwd: root, stdio: 'inherit' });
const { status } = spawnSync(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'vitest.editor.config.ts', ...rest],
  { cwd: root, stdio: 'inherit', env: { ...process.env, CODE_TEST_VERSION: version } },
);
process.exit(status ?? 1);
