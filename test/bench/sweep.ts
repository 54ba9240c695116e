/**
 * A sweep of eight runs of LeNet300 on MNIST, two at a time, beside the sum of their training steps at full speed divided by two. Full speed of a
 * slot: that of a plain run with the threads of one slot, while another plain run works beside it, before and after the sweep; the faster pair
 * counts. (Cores that share a cache or an execution unit slow each other down with any two programs; `alone` is the speed of one run by itself, and
 * `ratioAlone` is of that.) The difference is all that is no step (processes that start, data, C steps, evaluations, checkpoints, results) and what
 * the sweep itself costs. Prints one JSON line, and ends with 1 if the ratio is above the bound. Runs have the default schedule: on two slow cores it
 * takes 25 minutes, in which the machine must do nothing else. Shorter runs (iterations) end sooner, and their share of what is no step is larger.
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
const [iterations] = process.argv.slice(2).map(Number);
const PLAN = 'bench.prune.json';
/** Shows the speed. */
const SHORT_PLAN = 'short.prune.json';
const SHORT_ITERATIONS = 6;

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
  const plan = (schedule: object) =>
    JSON.stringify({
      model: 'model.json',
      data: 'mnist',
      budget: { keep: '5%' },
      engine: 'native-cpu',
      training: { batchSize: BATCH },
      schedule: { tolerance: 0, ...schedule },
    });
  await writeFile(join(workspace, PLAN), plan(iterations === undefined ? {} : { iterations }));
  await writeFile(join(workspace, SHORT_PLAN), plan({ iterations: SHORT_ITERATIONS }));
  const threads = Math.max(1, Math.floor(defaultThreads() / SLOTS));
  const plain = () => timed(workspace, ['run', SHORT_PLAN], threads);
  const known = new Set<string>();
  /** Events of the runs that were not there before, newest first. */
  const newRuns = async (count: number) => {
    const found = (await listRuns(workspace)).map(({ folder }) => folder).filter((folder) => !known.has(folder));
    if (found.length !== count) throw new Error(`${found.length} runs in place of ${count} in ${basename(workspace)}`);
    for (const folder of found) known.add(folder);
    return Promise.all(found.map(eventsOf));
  };
  const pair = async () => {
    await Promise.all(Array.from({ length: SLOTS }, plain));
    const speeds = (await newRuns(SLOTS)).map(speedOf);
    return speeds.reduce((sum, speed) => sum + speed, 0) / SLOTS;
  };
  await plain();
  const alone = speedOf((await newRuns(1))[0]!);
  const before = await pair();
  const sweep = await timed(workspace, ['sweep', PLAN, '--over', `seed=0..${RUNS - 1}`, '--parallel', String(SLOTS)]);
  const steps = (await newRuns(RUNS)).reduce((total, events) => total + stepsOf(events), 0);
  const after = await pair();
  const secondsAt = (speed: number) => (steps * BATCH) / speed / SLOTS;
  const atFullSpeed = secondsAt(Math.max(before, after));
  const ratio = sweep / atFullSpeed;
  const figures = {
    alone,
    before,
    after,
    steps,
    atFullSpeed,
    sweep,
    ratio,
    bound: BOUND,
    ratioAlone: sweep / secondsAt(alone),
  };
  const shown = Object.entries(figures).map(([name, value]) => [name, rounded(value, 4)]);
  console.log(JSON.stringify({ runs: RUNS, slots: SLOTS, threads, ...Object.fromEntries(shown) }));
  if (ratio > BOUND) process.exitCode = 1;
} finally {
  await rm(workspace, { recursive: true, force: true });
}
