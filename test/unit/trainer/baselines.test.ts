import { describe, expect, it } from 'vitest';
import { longRetraining } from '../../../daemon/trainer/judge/baselines.js';
import { execute, totalSteps } from '../../../daemon/trainer/process/execute.js';
import { CLASSES, fakeRun, INPUTS, PLAN } from './fakeRun.js';

const KERNEL = INPUTS * CLASSES;
const plan = { ...PLAN, schedule: { ...PLAN.schedule, tolerance: 0 } };

describe('baselines', () => {
  it('train for exactly as many steps as LC', async () => {
    const steps = [];
    for (const method of ['lc', 'magnitude', 'gradual'] as const) {
      let count = 0;
      const run = fakeRun({ ...plan, method }, { onStep: () => void (count += 1) });
      await execute(run, null);
      expect(count).toBe(totalSteps(run));
      steps.push(count);
    }
    expect(steps[0]).toBe(10 * (5 + 3 + 11 * 2 + 4));
    expect(new Set(steps).size).toBe(1);
  });

  it('share the reference with LC', async () => {
    const references = [];
    for (const method of ['lc', 'magnitude', 'gradual'] as const) {
      const run = fakeRun({ ...plan, method });
      references.push((await execute(run, null)).reference);
    }
    expect(references[1]).toEqual(references[0]);
    expect(references[2]).toEqual(references[0]);
  });

  it('magnitude pruning keeps the largest weights of the reference and no other', async () => {
    const run = fakeRun({ ...plan, method: 'magnitude' });
    const { weights } = await execute(run, null);
    const reference = [...run.kept[0]!.subarray(0, KERNEL)];
    const largest = reference
      .map((_, i) => i)
      .sort((a, b) => Math.abs(reference[b]!) - Math.abs(reference[a]!))
      .slice(0, 12);
    const kept = [...weights.subarray(0, KERNEL).keys()].filter((i) => weights[i] !== 0);
    expect(kept).toEqual(largest.sort((a, b) => a - b));
  });

  it('magnitude pruning per layer keeps the share in each layer', async () => {
    const run = fakeRun({
      ...plan,
      method: 'magnitude',
      tasks: [{ ...PLAN.tasks[0]!, budget: { keep: '10%', scope: 'layer' } }],
    });
    const { weights } = await execute(run, null);
    expect(weights.subarray(0, KERNEL).filter((x) => x !== 0)).toHaveLength(8);
  });

  it('the long learning rate begins as the L steps do and ends as the retraining does', () => {
    const { learningRate, epochs } = longRetraining(plan);
    expect(epochs).toBe(3 + 11 * 2 + 4);
    expect(learningRate(0)).toBe(0.1);
    expect(learningRate(epochs - 0.01)).toBeCloseTo(0.1 * 0.9 ** 3, 10);
    for (let e = 1; e < epochs; e++) expect(learningRate(e)).toBeLessThan(learningRate(e - 1));
  });

  it('gradual pruning follows the cubic schedule and never revives a weight', async () => {
    const run = fakeRun({ ...plan, method: 'gradual' });
    await execute(run, null);
    const kept = run.of('iteration').map((event) => event.kept);
    const cubic = kept.map((_, j) => {
      const t = (j + 1) / 12;
      return KERNEL * (1 - (1 - 12 / KERNEL) * (1 - (1 - t) ** 3));
    });
    kept.forEach((count, j) => expect(Math.abs(count - cubic[j]!)).toBeLessThanOrEqual(1));
    expect(kept.at(-1)).toBe(12);
    const supports = run.saved
      .filter(({ progress }) => progress.phase !== 'reference')
      .map(({ vectors }) => vectors.theta);
    for (let s = 1; s < supports.length; s++) {
      for (let i = 0; i < KERNEL; i++) if (supports[s - 1]![i] === 0) expect(supports[s]![i]).toBe(0);
    }
  });

  it('gradual pruning refuses a budget that is no number of weights', async () => {
    const run = fakeRun({ ...plan, method: 'gradual', tasks: [{ ...PLAN.tasks[0]!, budget: { alpha: 1e-4 } }] });
    await expect(execute(run, null)).rejects.toMatchObject({ code: 'plan-invalid' });
  });
});
