// Kills daemons and trainers at 200 moments (LC_PRUNE_KILLS), drawn by the clock or by LC_PRUNE_KILL_SEED: npm run test:kills
import { spawnSync } from 'node:child_process';

const env = { LC_PRUNE_KILLS: '200', LC_PRUNE_KILL_SEED: String(Date.now() % 1e9), ...process.env };
console.log(`${env.LC_PRUNE_KILLS} kills, seed ${env.LC_PRUNE_KILL_SEED}`);
const args = ['vitest', 'run', 'test/integration/outlive/reload.test.ts', '-t', 'kill -9'];
process.exit(spawnSync('npx', args, { env, stdio: 'inherit' }).status ?? 1);
