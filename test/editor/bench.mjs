// npm run bench:monitor: how fast the monitor redraws. npm run bench:host: what the stream costs the extension host of a real
// VS Code. They print; they judge nothing.
import { execFileSync, spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installHost } from '../host/install.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const host = process.argv.includes('host');
const [seconds, runs, rate] = process.argv.filter((argument) => /^\d+$/.test(argument));
if (host) installHost('floor');
execFileSync(process.execPath, [join(root, 'esbuild.mjs'), '--production', ...(host ? [] : ['webview'])], {
  cwd: root,
  stdio: 'inherit',
});
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    'vitest.editor.config.ts',
    host ? 'streamCost.test' : 'bench.test',
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      BENCH: '1',
      CODE_TEST_VERSION: 'floor',
      ...(seconds && { BENCH_SECONDS: seconds }),
      ...(runs && { BENCH_RUNS: runs }),
      ...(rate && { BENCH_RATE: rate }),
    },
  },
);
process.exit(status ?? 1);
