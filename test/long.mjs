// Tests that take longer than a test run has time: npm run test:kills, test:namespaces, test:cluster, test:seeds, test:structure, test:day
import { spawnSync } from 'node:child_process';

const [which] = process.argv.slice(2);
const LONG = {
  // Kills daemons and trainers at 200 moments, drawn by the clock or by LC_PRUNE_KILL_SEED.
  kills: {
    env: { LC_PRUNE_KILLS: '200', LC_PRUNE_KILL_SEED: String(Date.now() % 1e9) },
    args: ['test/integration/outlive/reload.test.ts', '-t', 'kill -9'],
  },
  // Two processes resume one run, one of them in a namespace of process ids of its own.
  namespaces: { env: { LC_PRUNE_NAMESPACES: '10' }, args: ['test/integration/namespaces.test.ts'] },
  // A real Slurm of two slots, started as root: runs on it are compared with local ones.
  cluster: { env: { LC_PRUNE_CLUSTER: '1' }, args: ['test/integration/cluster.test.ts'] },
  // Networks that fit their data are read as they were trained: each kind trained and read with 50 seeds.
  seeds: { env: { LC_PRUNE_SEEDS: '50' }, args: ['test/unit/trainer/readAsTrained.test.ts'] },
  // Random networks with half of their units at 0: the thinned one computes the same.
  structure: { env: { LC_PRUNE_STRUCTURES: '1000' }, args: ['test/fuzz/structure.test.ts'] },
  // Strangers' models and data in a real VS Code, from a clean window to an exported file: clicks, keys, seconds.
  day: { env: { LC_PRUNE_DAY: '1' }, editor: 'strangersDay' },
};

const { env, args, editor } = LONG[which];
const all = { ...env, ...process.env };
// Results of its own: those of `npm test` stay beside them.
all.LC_PRUNE_RESULTS = `artifacts/results/${which}.json`;
for (const name of Object.keys(env)) console.log(`${name}=${all[name]}`);
const [command, ...rest] = editor
  ? [process.execPath, 'test/editor/run.mjs', editor]
  : ['npx', 'vitest', 'run', ...args];
process.exit(spawnSync(command, rest, { env: all, stdio: 'inherit' }).status ?? 1);
