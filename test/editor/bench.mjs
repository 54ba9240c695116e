// npm run bench:monitor: how fast the monitor redraws. Prints; judges nothing.
import { execFileSync, spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
execFileSync(process.execPath, [join(root, 'esbuild.mjs'), '--production', 'webview'], { cwd: root, stdio: 'inherit' });
const { status } = spawnSync(
  process.execPath,
  [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'vitest.editor.config.ts', 'bench.test'],
  { cwd: root, stdio: 'inherit', env: { ...process.env, BENCH: '1' } },
);
process.exit(status ?? 1);
