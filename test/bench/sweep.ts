/**
 * A sweep of eight short runs of LeNet300 on MNIST, two at a time, beside the sum of their training steps at full speed divided by two. Full
 * speed: one run alone, with the threads of one slot, before and after the sweep; the faster one counts. The difference is all that is no step
 * (processes that start, data, C steps, evaluations, checkpoints, results) and what two slots take from each other. Prints one JSON line, and
 * ends with 1 if the ratio is above the bound. About a minute; the machine must do nothing else.
 * `npm run bench:sweep [-- iterations]`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultThreads } from '../../daemon/engine/compiled/threads.js';
import { rounded } from '../../daemon/protocol/format.js';
import type { RunEvent } from '../../daemon/protocol/events.js';
import { listRuns } from '../../daemon/runs/list/listRuns.js';
import { readEvents } from '../../daemon/runs/list/registry.js';

const SLOTS = 2;
const RUNS = 8;
const BOUND = 1.15;
const BATCH = 128;
const [iterations = 6] = process.argv.slice(2).map(Number);
const PLAN = 'bench.prune.json';

/** Seconds that a command of the product takes, its own start included. */
async function timed(folder: string, args: readonly string[], threads?: number): Promise<number> {
  const env = { ...process.env, ...(threads !== undefined && { LC_PRUNE_THREADS: String(threads) }) };
  const cli = fileURLToPath(new URL('../cli.mjs', import.meta.url));
  const began = performance.now();
  const child = spawn(process.execPath, [cli, ...args, '--json'], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`lc-prune ${args.join(' ')} ended with ${code}: ${errors}`);
  return (performance.now() - began) / 1000;
} // prettier-ignore

const eventsOf = async (folder: string): Promise<RunEvent[]> =>
  (await readEvents(folder, 0, Number.MAX_SAFE_INTEGER)).events;

/** Median samples a second over the batches of a run. */
function speedOf(events: readonly RunEvent[]): number {
  const speeds = events.flatMap((event) => (event.event === 'batch' ? [event.samplesPerSecond] : [])).sort((a, b) => a - b);
  const middle = speeds[Math.floor(speeds.length / 2)];
  if (!middle) throw new Error('a run without batches');
  return middle;
} // prettier-ignore

const stepsOf = (events: readonly RunEvent[]): number =>
  events.reduce((steps, event) => (event.event === 'start' ? event.totalSteps : steps), 0);

const workspace = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-sweep-bench-')));
try {
  await cp('examples/lenet300', workspace, { recursive: true });
  await writeFile(
    join(workspace, PLAN),
    JSON.stringify({
      model: 'model.json',
      data: 'mnist',
      budget: { keep: '5%' },
      engine: 'native-cpu',
      training: { batchSize: BATCH },
      schedule: { iterations, epochs: 1, tolerance: 0 },
      retrain: { epochs: 2 },
    }),
  );
  const threads = Math.max(1, Math.floor(defaultThreads() / SLOTS));
  const alone = () => timed(workspace, ['run', PLAN], threads);
  await alone();
  const sweep = await timed(workspace, ['sweep', PLAN, '--over', `seed=0..${RUNS - 1}`, '--parallel', String(SLOTS)]);
  await alone();
  // Newest first: the second run alone, those of the sweep, the first one alone.
  const runs = await Promise.all((await listRuns(workspace)).map(({ folder }) => eventsOf(folder)));
  if (runs.length !== RUNS + 2) throw new Error(`${runs.length} runs in ${basename(workspace)}`);
  const [after, before] = [speedOf(runs[0]!), speedOf(runs.at(-1)!)];
  const steps = runs.slice(1, -1).reduce((total, events) => total + stepsOf(events), 0);
  const atFullSpeed = (steps * BATCH) / Math.max(before, after) / SLOTS;
  const ratio = sweep / atFullSpeed;
  const figures = { before, after, steps, atFullSpeed, sweep, ratio, bound: BOUND };
  const shown = Object.entries(figures).map(([name, value]) => [name, rounded(value, 4)]);
  console.log(JSON.stringify({ runs: RUNS, slots: SLOTS, threads, ...Object.fromEntries(shown) }));
  if (ratio > BOUND) process.exitCode = 1;
} finally {
  await rm(workspace, { recursive: true, force: true });
}
