import { describe, expect, it } from 'vitest';
import { execute, totalSteps } from '../../../daemon/trainer/process/execute.js';
import type { RunState } from '../../../daemon/trainer/state.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { CLASSES, fakeRun, INPUTS, PLAN, type FakeRun } from './fakeRun.js';

const KERNEL = INPUTS * CLASSES;
const nonZeros = (weights: Float32Array): number => weights.subarray(0, KERNEL).filter((x) => x !== 0).length;
const counts = [40, 20, 10, 4];
const path = (rest: Partial<NonNullable<ResolvedPlan['path']>> = {}): ResolvedPlan['path'] & object => ({
  budgets: counts.map((weights) => ({ weights })),
  warmStart: 0.5,
  maxErrorIncrease: null,
  maxError: null,
  refinements: 0,
  ...rest,
});
const plan: ResolvedPlan = {
  ...PLAN,
  schedule: { ...PLAN.schedule, iterations: 4, tolerance: 0 },
  reference: { ...PLAN.reference, epochs: 2 },
  retrain: { ...PLAN.retrain, epochs: 1, batchSize: 8 },
  path: path(),
};
const hurried = () => {
  let now = 0;
  return () => (now += 30_000);
};
const finished = (run: FakeRun) => run.of('point');

describe.each(['lc', 'magnitude'] as const)('a path by %s', (method) => {
  const own = { ...plan, method };

  it('meets every budget, large to small, each from the one before, and keeps its model', async () => {
    const run = fakeRun(own);
    await execute(run, null);
    const points = finished(run);
    expect(points.map(({ budget }) => budget)).toEqual(path().budgets);
    expect(points.map(({ from }) => from)).toEqual([null, 0, 1, 2]);
    expect(points.map(({ kept }) => kept)).toEqual(counts);
    expect(points.map(({ point }) => nonZeros(run.points.get(point)!))).toEqual(counts);
    // The first budget runs all four L steps, the others the upper two.
    const { firstEpochs, epochs } = own.schedule;
    const full = firstEpochs + 3 * epochs + own.retrain.epochs;
    const warm = 2 * epochs + own.retrain.epochs;
    expect(points.map((point) => point.epochs)).toEqual([full, warm, warm, warm]);
    expect(run.saved.at(-1)!.progress.totalStep).toBe(totalSteps(run));
  });

  it('gives the same bits from every checkpoint', async () => {
    const whole = fakeRun(own);
    const expected = await execute(whole, null);
    const pathStates = new Map<string, RunState>();
    const checkpointed = fakeRun(own, {
      now: hurried(),
      pathStates,
      onStep: () => void checkpointed.control.checkpoint(),
    });
    expect((await execute(checkpointed, null)).weights).toEqual(expected.weights);
    for (const [i, state] of checkpointed.saved.entries()) {
      if (i % 17 !== 0 && i < checkpointed.saved.length - 3) continue;
      const resumed = fakeRun(own, { pathStates: new Map(pathStates) });
      expect((await execute(resumed, structuredClone(state))).weights, `from checkpoint ${i}`).toEqual(
        expected.weights,
      );
      const all = finished(whole).map(({ seconds: _, ...point }) => point);
      const rest = finished(resumed).map(({ seconds: _, ...point }) => point);
      expect(rest).toEqual(all.slice(all.length - rest.length));
      for (const { point } of rest) expect(resumed.points.get(point)).toEqual(whole.points.get(point));
    }
  });

  it('answers with the smallest of its points within the bound, and it is the result', async () => {
    const run = fakeRun({ ...own, path: path({ maxErrorIncrease: 0.1, refinements: 5 }) });
    const outcome = await execute(run, null);
    const points = finished(run);
    const bound = outcome.path!.reference! + 0.1;
    const good = points.filter(({ decision }) => decision! <= bound);
    expect(good.length).toBeGreaterThan(0);
    expect(good.length).toBeLessThan(points.length);
    const smallest = Math.min(...good.map(({ kept }) => kept));
    expect(points[outcome.path!.point]!.kept).toBe(smallest);
    expect(outcome.path).toMatchObject({ set: 'train', met: true, maxErrorIncrease: 0.1 });
    expect(nonZeros(outcome.weights)).toBe(smallest);
    expect(outcome.weights).toEqual(run.points.get(outcome.path!.point));
    // Without a validation part the training part decides, whatever the error on the test part.
    const errors = (at: string, set: string) =>
      run.of('evaluation').flatMap((one) => (one.at === at && one.set === set ? [one.error] : []));
    expect(errors('reference', 'train')).toEqual([outcome.path!.reference]);
    expect(outcome.reference.error).toBe(errors('reference', 'test')[0]);
    expect(points.map(({ decision }) => decision)).toEqual(errors('retrained', 'train'));
    expect(points.map(({ retrained }) => retrained.error)).toEqual(errors('retrained', 'test'));
    expect(outcome.path!.samples).toBe(run.sets.train.size);
    // Refined: every larger point that was bad aside, what is just below the answer is bad and near.
    const below = points.filter(({ kept }) => kept < smallest).map(({ kept }) => kept);
    expect(Math.max(...below)).toBeGreaterThan(smallest / 2);
  });

  it('looks for the smallest with an error in all, whatever the reference has', async () => {
    const bounded = fakeRun({ ...own, path: path({ maxError: 0.2, refinements: 5 }) });
    const outcome = await execute(bounded, null);
    const good = finished(bounded).filter(({ decision }) => decision! <= 0.2);
    expect(good.length).toBeGreaterThan(0);
    expect(outcome.path).toMatchObject({ met: true, maxError: 0.2, maxErrorIncrease: null });
    expect(finished(bounded)[outcome.path!.point]!.kept).toBe(Math.min(...good.map(({ kept }) => kept)));
    const impossible = fakeRun({ ...own, path: path({ maxError: 0, budgets: [{ weights: 1 }] }) });
    expect((await execute(impossible, null)).path!.met).toBe(false);
  });

  it('says when no budget is within the bound, and gives the one of least error', async () => {
    const run = fakeRun({ ...own, path: path({ budgets: [{ weights: 2 }, { weights: 1 }], maxErrorIncrease: 0 }) });
    const outcome = await execute(run, null);
    expect(outcome.path!.met).toBe(false);
    const errors = finished(run).map(({ decision }) => decision!);
    expect(errors[outcome.path!.point]).toBe(Math.min(...errors));
  });
});

it('starts a budget at the w and lambda that the L steps of the former ended with, not at its retrained weights', async () => {
  const pathStates = new Map<string, RunState>();
  const run = fakeRun(plan, { pathStates });
  await execute(run, null);
  for (const point of [1, 2, 3]) {
    const begun = run.saved.find(
      ({ progress }) => progress.path?.point === point && progress.phase === 'l-step' && progress.step === 0,
    )!;
    const solution = pathStates.get(`solution-${point - 1}`)!;
    expect(begun.progress.iteration).toBe(2);
    expect(begun.vectors.w).toEqual(solution.vectors.w);
    expect(begun.vectors.lambda).toEqual(solution.vectors.lambda);
    expect(begun.vectors.w).not.toEqual(run.points.get(point - 1));
    // theta is within the new budget already.
    expect(nonZeros(begun.vectors.theta)).toBe(counts[point]);
  }
});

it('the magnitude path of a codebook ends every budget within it', async () => {
  const budgets = [30, 8].map((weights) => ({ weights, quantize: { codebook: 2 } }));
  const run = fakeRun({ ...plan, method: 'magnitude', path: path({ budgets }) });
  await execute(run, null);
  expect(finished(run)).toHaveLength(2);
  for (const [i, weights] of [30, 8].entries()) {
    const kernel = run.points.get(i)!.subarray(0, KERNEL);
    expect(nonZeros(kernel)).toBeLessThanOrEqual(weights);
    expect(new Set(kernel.filter((x) => x !== 0)).size).toBeLessThanOrEqual(2);
  }
});

it('refuses gradual pruning', async () => {
  await expect(execute(fakeRun({ ...plan, method: 'gradual' }), null)).rejects.toMatchObject({ code: 'plan-invalid' });
});
