/** Runs whose result nobody should use are marked everywhere, also by the command's exit code. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Finding, RunEvent } from '../../../daemon/protocol/events.js';
import { lcPrune } from '../../fixtures/cli.js';
import { TINY_PLAN, tinyWorkspace, type TinyWorkspace } from '../../fixtures/tinyWorkspace.js';

let ws: TinyWorkspace;
afterEach(() => ws.remove());

type Done = Extract<RunEvent, { event: 'done' }>;

const trained = { ...TINY_PLAN, reference: { epochs: 30, learningRate: 0.05 } };

async function run(plan: object) {
  ws = await tinyWorkspace(plan);
  const { code, stderr, stdout, lines } = await lcPrune(['run', 'tiny.prune.json', '--json'], { cwd: ws.folder });
  const done = lines.at(-1) as unknown as Done;
  const codes = (done.findings ?? []).map((finding: Finding) => finding.code);
  return { code, stderr, stdout, lines, done, codes };
}

describe('a result that is not usable', { timeout: 120_000 }, () => {
  it('of a budget that cuts the network: dead layers, constant outputs, error near chance; exit code 3', async () => {
    const { code, stderr, lines, done, codes } = await run({ ...trained, budget: { weights: 1 } });
    expect(code, stderr).toBe(3);
    expect(done.event).toBe('done');
    expect(codes).toEqual(expect.arrayContaining(['near-chance', 'constant-output', 'dead-layer']));
    const warnings = lines.filter(({ event }) => event === 'warning').map((line) => line['code']);
    expect(warnings).toEqual(expect.arrayContaining(codes));
    const runs = ws.path('.lcprune', 'runs');
    const [name] = await readdir(runs);
    const result = JSON.parse(await readFile(join(runs, name!, 'result', 'result.json'), 'utf8')) as Done;
    expect(result.findings).toEqual(done.findings);
    const report = await readFile(join(runs, name!, 'result', 'report.md'), 'utf8');
    expect(report).toMatch(/^# Pruning report: tiny\n\n\*\*THE RESULT IS NOT USABLE: its error/);
    expect(stderr).toContain('IS DEAD: it keeps 0 of');
    const listed = await lcPrune(['runs', '--json'], { cwd: ws.folder });
    expect(listed.stdout).toContain('THE RESULT IS NOT USABLE');
  });

  it('is not reported for a good one', async () => {
    const { code, stderr, done } = await run({ ...trained, budget: { keep: '60%' } });
    expect(code, stderr).toBe(0);
    expect((done.findings ?? []).filter(({ unusable }) => unusable)).toEqual([]);
    expect(done.retrained.error!).toBeLessThan(0.3);
  });
});

describe('learning rates', { timeout: 120_000 }, () => {
  it('an absurd one is reported, and the run ends with a usable or a marked result', async () => {
    const plan = { ...trained, budget: { keep: '60%' }, training: { batchSize: 16, learningRate: 200 } };
    const { code, stderr, lines, done } = await run(plan);
    const warnings = lines.filter(({ event }) => event === 'warning').map((line) => line['code']);
    expect(warnings).toContain('diverged');
    expect([0, 3], stderr).toContain(code);
    expect(code === 3).toBe((done.findings ?? []).some(({ unusable }) => unusable));
  });

  it('that the plan leaves open are in plan.json when the run is done', async () => {
    await run({ ...TINY_PLAN, training: { batchSize: 16 } });
    const runs = ws.path('.lcprune', 'runs');
    const [name] = await readdir(runs);
    const plan = JSON.parse(await readFile(join(runs, name!, 'plan.json'), 'utf8')) as {
      openRates?: unknown;
      training: { learningRate: number };
      retrain: { learningRate: number };
    };
    expect(plan.openRates).toBeUndefined();
    expect(plan.training.learningRate).toBeLessThanOrEqual(0.1);
    expect(plan.retrain.learningRate).toBeCloseTo(plan.training.learningRate / 2, 12);
  });
});
