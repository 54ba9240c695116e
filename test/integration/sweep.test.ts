/** Sweeps of the real command: their points are ordinary runs, equal to single ones. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SweepRecord } from '../../daemon/protocol/runs/sweep.js';
import type { SweepRow } from '../../daemon/protocol/runs/sweepResults.js';
import { lcPrune } from '../fixtures/cli.js';
import { TINY_PLAN, tinyWorkspace, type TinyWorkspace } from '../fixtures/tinyWorkspace.js';

/** Trains a reference first, which points of one seed share. */
const PLAN = { ...TINY_PLAN, engine: 'native-cpu', reference: { epochs: 3, batchSize: 16, learningRate: 0.05 } };
const OVER = ['--over', 'budget.keep=50%,25%', '--over', 'seed=0..1'];

let ws: TinyWorkspace;
beforeAll(async () => void (ws = await tinyWorkspace(PLAN)));
afterAll(() => ws.remove());

const sweepsOf = async (of: TinyWorkspace): Promise<string[]> =>
  (await readdir(of.path('.lcprune', 'sweeps'))).map((name) => of.path('.lcprune', 'sweeps', name));
const recordOf = async (folder: string) =>
  SweepRecord.parse(JSON.parse(await readFile(join(folder, 'sweep.json'), 'utf8')));
const weightsOf = (of: TinyWorkspace, run: string) =>
  readFile(of.path('.lcprune', 'runs', basename(run), 'result', 'model.lcp'));
const rowsOf = (lines: readonly Record<string, unknown>[]) =>
  lines.find(({ event }) => event === 'sweep')!['rows'] as SweepRow[];

describe('a sweep over budgets and seeds', () => {
  it(
    'gathers the seeds, shares references, and gives each point what a single run gives',
    { timeout: 240_000 },
    async () => {
      const swept = await lcPrune(['sweep', 'tiny.prune.json', ...OVER, '--parallel', '2', '--json'], {
        cwd: ws.folder,
        timeout: 200_000,
      });
      expect(swept, swept.stderr).toMatchObject({ code: 0 });
      const rows = rowsOf(swept.lines);
      expect(rows.map(({ values, runs, method }) => [values, runs, method])).toEqual([
        [{ 'budget.keep': '50%' }, 2, 'lc'],
        [{ 'budget.keep': '25%' }, 2, 'lc'],
      ]);
      for (const { error } of rows) expect(error.deviation).toBeGreaterThanOrEqual(0);
      const [folder] = await sweepsOf(ws);
      const { points } = await recordOf(folder!);
      expect(points.map(({ sharesWith }) => sharesWith)).toEqual([undefined, undefined, 0, 1]);
      expect(await readFile(join(folder!, 'results.md'), 'utf8')).toContain('| 50% | lc | 2 |');
      expect((await readFile(join(folder!, 'results.csv'), 'utf8')).trim().split('\n')).toHaveLength(3);

      // The point that began with the reference of another one.
      await writeFile(ws.path('single.prune.json'), JSON.stringify({ ...PLAN, budget: { keep: '25%' }, seed: 1 }));
      const single = await lcPrune(['run', 'single.prune.json', '--json'], { cwd: ws.folder });
      const done = single.lines.findLast(({ event }) => event === 'done') as { folder: string };
      expect(await weightsOf(ws, points[3]!.run!)).toEqual(await weightsOf(ws, done.folder));
      expect(await weightsOf(ws, points[3]!.run!)).not.toEqual(await weightsOf(ws, points[2]!.run!));
    },
  );

  it('goes on where it was stopped, to the same results', { timeout: 240_000 }, async () => {
    const slow = { ...PLAN, schedule: { ...PLAN.schedule, iterations: 8, epochs: 60, tolerance: 0 } };
    const [whole, cut] = await Promise.all([tinyWorkspace(slow), tinyWorkspace(slow)]);
    try {
      const all = await lcPrune(['sweep', 'tiny.prune.json', ...OVER, '--json'], {
        cwd: whole.folder,
        timeout: 200_000,
      });
      expect(all, all.stderr).toMatchObject({ code: 0 });
      const child = spawn(
        process.execPath,
        [resolve('dist', 'cli.mjs'), 'sweep', 'tiny.prune.json', ...OVER, '--parallel', '2'],
        { cwd: cut.folder },
      );
      let stderr = '';
      let isAsked = false;
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
        // The first point is over, and others are not.
        if (/^1\/4 .*error/m.test(stderr) && !isAsked) isAsked = child.kill('SIGINT');
      });
      expect(await new Promise((done) => child.on('close', done)), stderr).toBe(130);
      const again = /continue with: lc-prune sweep (\S+)/.exec(stderr)![1]!;
      const rest = await lcPrune(['sweep', again, '--json'], { cwd: cut.folder, timeout: 200_000 });
      expect(rest, rest.stderr).toMatchObject({ code: 0 });
      const without = (rows: readonly SweepRow[]) =>
        rows.map(({ seconds: _, folders, ...row }) => ({ ...row, folders: folders.length }));
      expect(without(rowsOf(rest.lines))).toEqual(without(rowsOf(all.lines)));
      const [one, other] = await Promise.all([
        recordOf((await sweepsOf(whole))[0]!),
        recordOf((await sweepsOf(cut))[0]!),
      ]);
      for (const [i, { run }] of one.points.entries())
        expect(await weightsOf(cut, other.points[i]!.run!)).toEqual(await weightsOf(whole, run!));
      const runs = await readdir(cut.path('.lcprune', 'runs'));
      expect(runs).toHaveLength(4);
    } finally {
      await Promise.all([whole.remove(), cut.remove()]);
    }
  });

  it('is read from a file, with baselines', { timeout: 120_000 }, async () => {
    await writeFile(
      ws.path('few.sweep.json'),
      '{ "plan": "tiny.prune.json", // one\n "over": { "budget.keep": ["30%"] }, "compare": ["magnitude"] }',
    );
    const { code, lines, stderr } = await lcPrune(['sweep', 'few.sweep.json', '--json'], {
      cwd: ws.folder,
      timeout: 100_000,
    });
    expect(code, stderr).toBe(0);
    expect(rowsOf(lines).map(({ method, kept }) => [method, kept])).toEqual([
      ['lc', rowsOf(lines)[0]!.kept],
      ['magnitude', rowsOf(lines)[0]!.kept],
    ]);
  });
});

describe('a sweep that cannot be', () => {
  const sweep = (...args: string[]) => lcPrune(['sweep', ...args], { cwd: ws.folder });
  it.each([
    [['tiny.prune.json'], 'the sweep goes over nothing'],
    [['tiny.prune.json', '--over', 'budget.kept=5%'], 'with budget.kept=5%: tiny.prune.json'],
    [['tiny.prune.json', '--over', 'budget.keep=5%,500%'], 'with budget.keep=500%: tiny.prune.json'],
    [['tiny.prune.json', '--over', 'seed'], '"seed" is no key with values'],
    [['tiny.prune.json', '--over', 'seed=1', '--over', 'seed=2'], '"seed" is given twice'],
    [['none.sweep.json'], 'none.sweep.json'],
    [['bad.sweep.json'], 'bad.sweep.json: "parallel"'],
    [['broken.sweep.json'], 'broken.sweep.json:2: not valid JSON'],
  ])('leaves nothing behind: %j', async (args, message) => {
    await writeFile(
      ws.path('bad.sweep.json'),
      '{ "plan": "tiny.prune.json", "over": {"seed": "0..1"}, "parallel": 0 }',
    );
    await writeFile(ws.path('broken.sweep.json'), '{ "plan": "tiny.prune.json",\n "over": {{ }');
    const before = await ws.listing();
    const { code, stderr } = await sweep(...args);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    expect(await ws.listing()).toEqual(before);
  });
});
