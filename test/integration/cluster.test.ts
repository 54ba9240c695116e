/**
 * Runs on a real Slurm of two slots, which the test starts as root and ends again. Needs `npm run build`. LC_PRUNE_CLUSTER=1
 * (`npm run test:cluster`); a few minutes, because Slurm lets a job that was queued again wait for two.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SweepRecord } from '../../daemon/protocol/runs/sweep.js';
import { lcPrune, type CliResult } from '../fixtures/cli.js';
import { missingSlurm, startSlurm } from '../fixtures/slurm.js';
import { TINY_PLAN, tinyWorkspace, type TinyWorkspace } from '../fixtures/tinyWorkspace.js';
import { Daemon } from './server/harness.js';

const isWanted = process.env['LC_PRUNE_CLUSTER'] === '1';
const missing = missingSlurm();
/** @returns the cluster and its folder, or why there is none. */
async function start(): Promise<{ folder: string; slurm: Awaited<ReturnType<typeof startSlurm>> } | string> {
  if (missing !== null) return missing;
  const folder = await mkdtemp(join(tmpdir(), 'cluster-'));
  try {
    return { folder, slurm: await startSlurm(folder) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    return `Slurm does not start here: ${(error as Error).message}`;
  }
}

const started = isWanted ? await start() : 'not wanted';
const cluster = typeof started === 'string' ? null : started;
if (isWanted && cluster === null) console.log(`skipped: ${started as string}`);

const PLAN = { ...TINY_PLAN, engine: 'native-cpu', runOn: { slurm: { cpus: 1 } } };
/** Some twenty seconds. */
const LONG = {
  ...PLAN,
  schedule: { ...PLAN.schedule, iterations: 10, epochs: 3000, tolerance: 0 },
  runOn: { slurm: { cpus: 2, grace: 30 } },
};
const MINUTE = 60_000;

describe.runIf(cluster !== null)('a cluster', () => {
  let ws: TinyWorkspace;
  beforeAll(async () => {
    process.env['SLURM_CONF'] = cluster!.slurm.env['SLURM_CONF'];
    ws = await tinyWorkspace(PLAN);
    await writeFile(ws.path('long.prune.json'), JSON.stringify(LONG));
  }, MINUTE);
  afterAll(async () => {
    await cluster!.slurm.stop();
    delete process.env['SLURM_CONF'];
    await Promise.all([ws.remove(), rm(cluster!.folder, { recursive: true, force: true })]);
  });
  const cli = (...args: string[]) => lcPrune([...args, '--json'], { cwd: ws.folder, timeout: 8 * MINUTE });
  const ask = async (program: string, ...args: string[]) => (await promisify(execFile)(program, args)).stdout.trim();
  const doneOf = ({ lines }: CliResult) => lines.findLast(({ event }) => event === 'done')!['folder'] as string;
  const sum = async (run: string) =>
    createHash('sha256').update(await readFile(join(run, 'result', 'model.lcp'))).digest('hex'); // prettier-ignore
  const runs = async () => (await cli('runs')).lines;
  /** @returns the run of a plan in the queue. */
  async function until(
    plan: string,
    check: (run: Record<string, unknown>) => boolean,
  ): Promise<Record<string, unknown>> {
    for (let last: unknown; ; await wait(500)) {
      const run = (await runs()).find((one) => one['plan'] === plan && one['state'] !== 'done');
      if (run && check(run)) return run;
      if (run && ['failed', 'crashed'].includes(run['state'] as string))
        throw new Error(String(run['message'] ?? last));
      last = run;
    }
  }
  const trains = (run: Record<string, unknown>) => run['state'] === 'running' && (run['iteration'] as number) > 0;
  const local: Record<string, string> = {};
  async function localSum(plan: string): Promise<string> {
    return (local[plan] ??= await cli('run', `${plan}.prune.json`, '--on', 'local').then(async (result) => {
      expect(result, result.stderr).toMatchObject({ code: 0 });
      return sum(doneOf(result));
    }));
  }

  it('executes a run as this machine does', { timeout: 4 * MINUTE }, async () => {
    const there = await cli('run', 'tiny.prune.json');
    expect(there, there.stderr).toMatchObject({ code: 0 });
    expect(there.stderr).toMatch(/slurm job \d+, \S+/);
    expect(await sum(doneOf(there))).toBe(await localSum('tiny'));
  });

  it('explains at once what fails at once', { timeout: 3 * MINUTE }, async () => {
    const write = (runOn: object) => writeFile(ws.path('bad.prune.json'), JSON.stringify({ ...PLAN, runOn }));
    await write({ slurm: { partition: 'nowhere' } });
    const before = (await runs()).length;
    const refused = await cli('run', 'bad.prune.json');
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toMatch(/^error: Slurm refused the job \(.*invalid partition.*\); the partitions here: low, high; change "runOn" in the plan$/im); // prettier-ignore
    expect(await runs()).toHaveLength(before);
    await write({ slurm: { setup: ['module load no-such-module'] } });
    const failed = await cli('run', 'bad.prune.json');
    expect(failed).toMatchObject({ code: 2 });
    expect(failed.stderr).toMatch(/error: slurm job \d+ ended \(FAILED\) before the run began: .*module.*; all of its output is in \S+output.txt/); // prettier-ignore
  });

  it('stops a run with a checkpoint and continues it', { timeout: 8 * MINUTE }, async () => {
    const following = cli('run', 'long.prune.json');
    const { folder: run } = await until('long', trains);
    const stopped = await cli('stop', run as string);
    expect(stopped, stopped.stderr).toMatchObject({ code: 0 });
    expect(await following).toMatchObject({ code: 130 });
    const left = (await runs()).find((one) => one['folder'] === run)!;
    expect(left).toMatchObject({ state: 'stopped' });
    // Slurm cleans up behind a job that has ended.
    await expect.poll(() => ask('squeue', '--noheader'), { timeout: 60_000, interval: 500 }).toBe('');
    const resumed = await cli('resume', run as string);
    expect(resumed, resumed.stderr).toMatchObject({ code: 0 });
    expect(resumed.lines).toContainEqual(expect.objectContaining({ event: 'start', resumed: true }));
    expect(await sum(run as string)).toBe(await localSum('long'));
  });

  it('gives way to another job in the middle of a run, and continues it', { timeout: 8 * MINUTE }, async () => {
    const following = cli('run', 'long.prune.json');
    const { folder: run } = await until('long', trains);
    await ask('sbatch', '--partition=high', '--cpus-per-task=2', '--output=/dev/null', '--wrap', 'sleep 3');
    const waiting = await until('long', ({ state }) => state === 'queued');
    expect(waiting['job']).toMatchObject({ state: 'pending', reason: expect.any(String) as string });
    const done = await following;
    expect(done, done.stderr).toMatchObject({ code: 0 });
    expect(done.lines).toContainEqual(expect.objectContaining({ event: 'stopped', reason: 'shutdown' }));
    expect(await sum(run as string)).toBe(await localSum('long'));
  });

  it('goes on while the daemon of an editor is killed and another one starts', { timeout: 4 * MINUTE }, async () => {
    const first = await Daemon.start('dist/daemon.mjs');
    const client = await first.client([ws.folder]);
    const { run } = await client.ask('lc/start', { planPath: ws.path('long.prune.json') });
    const now = (of: typeof client) => of.ask('lc/runs', null).then((all) => all.find((one) => one.run === run)!);
    expect(['queued', 'running']).toContain((await now(client)).state);
    while ((await now(client)).iteration < 1) await wait(300);
    first.child.kill('SIGKILL');
    await client.close();
    const second = await Daemon.start('dist/daemon.mjs');
    const next = await second.client([ws.folder]);
    try {
      expect(await now(next)).toMatchObject({ state: 'running', job: { on: 'slurm' } });
      while ((await now(next)).state === 'running') await wait(500);
      expect(await now(next)).toMatchObject({ state: 'done' });
    } finally {
      await next.close();
      await second.close();
    }
    expect(await sum(ws.path('.lcprune', 'runs', run))).toBe(await localSum('long'));
  });

  it('executes a sweep of 12 points as one array, equal to runs here', { timeout: 9 * MINUTE }, async () => {
    const over = ['--over', 'budget.keep=50%,25%,10%', '--over', 'seed=0..3'];
    const swept = await cli('sweep', 'tiny.prune.json', ...over);
    expect(swept, swept.stderr).toMatchObject({ code: 0 });
    const here = await cli('sweep', 'tiny.prune.json', ...over, '--on', 'local');
    expect(here, here.stderr).toMatchObject({ code: 0 });
    const sums = async ({ lines }: CliResult) => {
      const at = lines.find(({ event }) => event === 'sweep')!['folder'] as string;
      const { points } = SweepRecord.parse(JSON.parse(await readFile(join(at, 'sweep.json'), 'utf8')));
      return Promise.all(points.map(({ run }) => sum(ws.path('.lcprune', 'runs', basename(run!)))));
    };
    const [a, b] = [await sums(swept), await sums(here)];
    expect(new Set(a).size).toBe(12);
    expect(a).toEqual(b);
    const script = await readFile(join(swept.lines.find(({ event }) => event === 'sweep')!['folder'] as string, 'job', 'job.sh'), 'utf8'); // prettier-ignore
    expect(script).toContain('#SBATCH --array="0-11"');
  });
});
