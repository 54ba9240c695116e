/** Paths of budgets and smallest networks from the command line. */
import { readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readModel } from '../../daemon/model/files/readModel.js';
import type { PathPoint } from '../../daemon/protocol/events.js';
import { readPlan } from '../../daemon/plan/readPlan.js';
import { baselinePlan } from '../../daemon/runs/baselinePlan.js';
import { startRun } from '../../daemon/runs/supervisor.js';
import { writeReport } from '../../daemon/trainer/log/report.js';
import { lcPrune } from '../fixtures/cli.js';
import { tinyWorkspace, TINY_PLAN, type TinyWorkspace } from '../fixtures/tinyWorkspace.js';

describe('lc-prune path', { timeout: 180_000 }, () => {
  let ws: TinyWorkspace;
  afterEach(() => ws.remove());
  const nonZeros = async (...parts: string[]) => {
    const { weights } = await readModel(ws.path(...parts), { workspace: ws.folder });
    const kernels = weights.filter(({ name }) => name.endsWith('kernel'));
    return kernels.reduce((sum, { data }) => sum + data.filter((x) => x !== 0).length, 0);
  };

  it('prints the curve with magnitude pruning beside it, keeps every model, and exports the one asked for', async () => {
    ws = await tinyWorkspace({ ...TINY_PLAN, path: { budgets: ['50%', '25%'] } });
    const { code, lines, stderr } = await lcPrune(
      ['path', 'tiny.prune.json', '--budgets', '25%,50%,0.1', '--compare', 'magnitude', '--json'],
      { cwd: ws.folder, timeout: 120_000 },
    );
    expect(code, stderr).toBe(0);
    const points = lines.filter(({ event }) => event === 'point') as unknown as PathPoint[];
    // Large to small whatever the order given; 56 weights; the magnitude curve has the same budgets and epochs.
    expect(points.map(({ kept }) => kept)).toEqual([28, 14, 6, 28, 14, 6]);
    expect(points.slice(3).map(({ epochs }) => epochs)).toEqual(points.slice(0, 3).map(({ epochs }) => epochs));
    const done = lines.at(-1) as { event: string; folder: string; path: { point: number } };
    expect(done).toMatchObject({ event: 'done', path: { set: 'validation', maxErrorIncrease: null } });
    const run = done.folder.slice(ws.folder.length + 1);
    for (const [i, kept] of [28, 14, 6].entries())
      expect(await nonZeros(run, 'points', String(i), 'model.json')).toBe(kept);
    expect(await nonZeros(run, 'result', 'model.json')).toBe(points[done.path.point]!.kept);
    expect(lines.filter(({ event }) => event === 'latency')).toHaveLength(8);
    expect(lines.filter(({ event }) => event === 'format').length).toBeGreaterThan(10);
    const report = await readFile(ws.path(run, 'result', 'report.html'), 'utf8');
    expect(report).toContain('Error after retraining');
    expect(report).toContain('After retraining (magnitude)');
    expect(report).toContain('Latency');

    const exported = await lcPrune(
      ['export', run, '--point', '2', '--format', 'tfjs-layers', '--out', 'small.json', '--json'],
      { cwd: ws.folder },
    );
    expect(exported.code, exported.stderr).toBe(0);
    expect(await nonZeros('small.json')).toBe(6);
    const absent = await lcPrune(['export', run, '--point', '9', '--format', 'onnx'], { cwd: ws.folder });
    expect(absent.code).toBe(2);
    expect(absent.stderr).toMatch(/no point 9/);
    const resumed = await lcPrune(['resume', run], { cwd: ws.folder });
    expect(resumed.stderr).toMatch(/is finished/);
  });

  it('goes on with the other curve when resumed, whichever of the two was stopped', async () => {
    ws = await tinyWorkspace({ ...TINY_PLAN, path: { budgets: ['50%', '25%'] } });
    const workspace = await realpath(ws.folder);
    const read = await readPlan(ws.path('tiny.prune.json'), { workspace, asPath: {} });
    const stopped = await startRun({ ...read, compare: ['magnitude'] }, { workspace });
    await stopped.stop('interrupted');
    const resume = (run: string, ...args: string[]) =>
      lcPrune(['resume', run, ...args], { cwd: ws.folder, timeout: 120_000 });
    const both = await resume(stopped.id, '--json');
    expect(both.code, both.stderr).toBe(0);
    expect(both.lines.find(({ event }) => event === 'baseline')).toMatchObject({ method: 'magnitude' });
    expect(both.lines.at(-1)).toMatchObject({ event: 'done', folder: stopped.folder });
    const report = () => readFile(join(stopped.folder, 'result', 'report.html'), 'utf8');
    expect(await report()).toContain('After retraining (magnitude)');

    // The curve beside it stopped instead, and the report of the first alone.
    const [first, second, ...more] = (await readdir(ws.path('.lcprune', 'runs'))).sort();
    expect([first, more]).toEqual([stopped.id, []]);
    await rm(ws.path('.lcprune', 'runs', second!), { recursive: true });
    await writeReport(stopped.folder, { workspace });
    expect(await report()).not.toContain('After retraining (magnitude)');
    const other = await startRun(await baselinePlan(stopped.folder, 'magnitude', { workspace }), { workspace });
    await other.stop('interrupted');
    const rest = await resume(join('.lcprune', 'runs', other.id));
    expect(rest.code, rest.stderr).toBe(0);
    expect(rest.stdout).toContain('error (magnitude)');
    expect(rest.stdout).toContain(`lc-prune export ${join('.lcprune', 'runs', stopped.id)} --point`);
    expect(await report()).toContain('After retraining (magnitude)');
    expect((await readdir(ws.path('.lcprune', 'runs'))).sort()).toEqual([stopped.id, other.id].sort());
    expect((await resume(other.id)).stderr).toMatch(/is finished/);
    expect((await resume(stopped.id)).stderr).toMatch(/is finished/);

    // Stopped between the two.
    await rm(other.folder, { recursive: true });
    const late = await resume(stopped.id, '--json');
    expect(late.code, late.stderr).toBe(0);
    expect(late.lines.find(({ event }) => event === 'baseline')).toMatchObject({ method: 'magnitude' });
  });

  it('finds the smallest network within a bound: the smallest of its points that is, on the validation part', async () => {
    ws = await tinyWorkspace();
    const { code, lines, stderr } = await lcPrune(
      ['path', 'tiny.prune.json', '--points', '4', '--max-error-increase', '0%', '--refinements', '2', '--json'],
      { cwd: ws.folder, timeout: 120_000 },
    );
    expect(code, stderr).toBe(0);
    const points = lines.filter(({ event }) => event === 'point') as unknown as PathPoint[];
    const answer = lines.find(({ event }) => event === 'answer') as { set: string; reference: number; kept: number };
    expect(answer.set).toBe('validation');
    const good = points.filter(({ decision }) => decision! <= answer.reference);
    expect(answer.kept).toBe(Math.min(...good.map(({ kept }) => kept)));
    expect(stderr).not.toMatch(/will decide|for want of a validation part/);
  });

  it('reports that nothing is within the bound, with the way out, and if the training part decided', async () => {
    ws = await tinyWorkspace({
      ...TINY_PLAN,
      data: { ...TINY_PLAN.data, validation: 0 },
      reference: { epochs: 30, batchSize: 16 },
    });
    const args = [
      'path',
      'tiny.prune.json',
      '--budgets',
      '3%,2%',
      '--max-error-increase',
      '0.1%',
      '--refinements',
      '0',
    ];
    const { code, stdout, stderr } = await lcPrune(args, { cwd: ws.folder, timeout: 120_000 });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /no budget of the path has at most 0\.10% more error than that of the reference; the best.*allow more error/,
    );
    expect(stdout).toMatch(/None has at most 0\.10% more error.*on the training part/);
    expect(stdout).toContain('for want of a validation part ("data": {"validation": 0.1} in the plan sets one aside)');
    // Before the first point already: a search takes long.
    expect(stderr).toMatch(/The training part will decide which network is the smallest[^]*\npoint 0: 3%/);
    // The point closest to the bound also has its sizes in every format and its latency.
    expect(stdout).toMatch(/^onnx-thinned +ONNX, thinned/m);
    expect(stdout).toMatch(/^sparse +Sparse package/m);
    for (const what of ['reference', 'pruned', 'thinned', 'sparse module'])
      expect(stdout).toMatch(new RegExp(`^${what} +(onnxruntime|JavaScript) +[0-9.]+ (µs|ms) `, 'm'));
  });

  it('is what a plan with a goal in place of a budget runs: init writes it, run answers', async () => {
    ws = await tinyWorkspace();
    const cli = (...args: string[]) => lcPrune(args, { cwd: ws.folder, timeout: 120_000 });
    const made = await cli('init', 'model.json', '--data', 'data.csv', '--goal', 'lose at most 5%', '--out', 'goal.prune.json'); // prettier-ignore
    expect(made.code, made.stderr).toBe(0);
    expect(made.stderr).toMatch(/the search takes about .* at most/);
    const text = await readFile(ws.path('goal.prune.json'), 'utf8');
    expect(text).toContain('"path": { "maxErrorIncrease": "5%" }');
    expect(text).not.toContain('"budget"');
    const { budget: _budget, ...rest } = TINY_PLAN;
    await writeFile(ws.path('goal.prune.json'), JSON.stringify({ ...rest, path: { maxErrorIncrease: '5%', points: 3, refinements: 1 } })); // prettier-ignore
    const { code, lines, stderr } = await cli('run', 'goal.prune.json', '--json');
    expect(code, stderr).toBe(0);
    const points = lines.filter(({ event }) => event === 'point') as unknown as PathPoint[];
    const answer = lines.find(({ event }) => event === 'answer') as {
      reference: number;
      kept: number;
      samples: number;
    };
    const good = points.filter(({ decision }) => decision! <= answer.reference + 0.05 + 1e-12);
    expect(answer.kept).toBe(Math.min(...good.map(({ kept }) => kept)));
    // A fifth of the 192 rows that the test part leaves.
    expect(answer.samples).toBe(38);
    const resolved = await readPlan(ws.path('goal.prune.json'), { workspace: await realpath(ws.folder) });
    expect(resolved.path!.budgets[0]).toEqual({ keep: '50%' });

    const beside = await cli('init', 'model.json', '--data', 'data.csv', '--goal', '1/2', '--keep', '5%', '--out', 'x.prune.json'); // prettier-ignore
    expect(beside.stderr).toMatch(/give one of the two/);
    const words = await cli('path', 'tiny.prune.json', '--goal', '50%');
    expect(words.stderr).toMatch(/give a bound on the error/);
    const unread = await cli('path', 'tiny.prune.json', '--goal', 'small please');
    expect(unread.stderr).toMatch(/--goal: "small please" is no budget and no goal; try one of: 1%,/);
  });

  it('refuses what cannot be', async () => {
    ws = await tinyWorkspace();
    const cases: [string[], RegExp][] = [
      [['--budgets', '10%,many'], /--budgets: "many"/],
      [['--budgets', '10%', '--points', '3'], /give one of the two/],
      [['--max-error-increase', '2'], /absolute points/],
      [['--compare', 'gradual'], /known: magnitude/],
      [['--budgets', '10%,12'], /mixes shares and numbers/],
      // This comes before anything is on disk: see the last line.
      [['--budgets', '20,90000'], /90,?000/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await lcPrune(['path', 'tiny.prune.json', ...args], { cwd: ws.folder });
      expect(stderr, args.join(' ')).toMatch(message);
      expect(code).toBe(2);
    }
    await writeFile(ws.path('tiny.prune.json'), JSON.stringify({ ...TINY_PLAN, budget: { alpha: 1e-4 } }));
    const penalty = await lcPrune(['path', 'tiny.prune.json'], { cwd: ws.folder });
    expect(penalty.stderr).toMatch(/a path varies one of keep/);
    expect(await ws.listing()).not.toContain('.lcprune');
  });
});
