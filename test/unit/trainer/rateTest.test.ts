import { describe, expect, it } from 'vitest';
import { execute } from '../../../daemon/trainer/process/execute.js';
import { isHarmless, settleRates } from '../../../daemon/trainer/judge/rateTest.js';
import type { ResolvedPlan } from '../../../daemon/protocol/resolvedPlan.js';
import { fakeRun, PLAN } from './fakeRun.js';

/** A trained reference in a run whose plan does not train one. */
async function trained(changes: Partial<ResolvedPlan> = {}, options: Parameters<typeof fakeRun>[1] = {}) {
  const { weights } = await execute(fakeRun({ ...PLAN, method: 'reference' }), null);
  const retrain = { ...PLAN.retrain, learningRate: 0.05 };
  const plan = { ...PLAN, retrain, reference: { ...PLAN.reference, epochs: 0 }, ...changes };
  const run = fakeRun(plan, options);
  await run.session.setWeights(weights);
  return { run, plan };
}

const everything = (run: ReturnType<typeof fakeRun>) =>
  Promise.all([
    run.session.getWeights(),
    run.session.getState(),
    run.session.getVelocity(),
    Promise.resolve([...run.session.getRandomState()]),
    Promise.resolve(run.batches(16, 'l-step').state),
  ]);

describe('the rate test', () => {
  it('keeps the default where it does no harm, without a word, and leaves everything as it was', async () => {
    const { run, plan } = await trained({ openRates: ['training', 'retrain'] });
    const before = await everything(run);
    const settled = await settleRates(plan, run, run.control, 10_000);
    const { openRates: _, ...rest } = plan;
    expect(settled).toEqual({ plan: rest, notes: [] });
    expect(await everything(run)).toEqual(before);
  });

  it('takes a smaller rate where the default diverges, gives retraining half of it, and says so; twice the same', async () => {
    const results = [];
    for (let i = 0; i < 2; i++) {
      const { run, plan } = await trained({ openRates: ['training', 'retrain'] }, { divergesAbove: 0.02 });
      results.push(await settleRates(plan, run, run.control, 10_000));
    }
    const [{ plan, notes }] = results as [(typeof results)[number], unknown];
    expect(plan.training.learningRate).toBeCloseTo(0.01, 12);
    expect(plan.retrain.learningRate).toBeCloseTo(0.005, 12);
    expect(plan.openRates).toBeUndefined();
    expect(notes.map(({ code }) => code)).toEqual(['note']);
    expect(notes[0]!.message).toMatch(/learning rate 0.01 was chosen .* 0.1: no finite number; 0.03: no finite number/);
    expect(results[1]).toEqual(results[0]);
  });

  it('leaves a rate that the plan names, and warns where training without pruning raises the loss', async () => {
    const named = { ...PLAN.training, learningRate: 50 };
    const { run, plan } = await trained({ training: named, openRates: ['retrain'] });
    const settled = await settleRates(plan, run, run.control, 10_000);
    expect(settled.plan.training).toEqual(named);
    expect(settled.plan.retrain).toEqual(plan.retrain);
    expect(settled.notes.map(({ code }) => code)).toEqual(['rate-raises-loss']);
    const harmless = await trained({ openRates: [] });
    expect((await settleRates(harmless.plan, harmless.run, harmless.run.control, 10_000)).notes).toEqual([]);
  });

  it('tries nothing in a run too short for it, and fewer steps in a short one', async () => {
    let taken = 0;
    const { run, plan } = await trained({ openRates: ['training', 'retrain'] }, { divergesAbove: 0.02, onStep: () => taken++ }); // prettier-ignore
    taken = 0;
    const { openRates: _, ...rest } = plan;
    expect(await settleRates(plan, run, run.control, 159)).toEqual({ plan: rest, notes: [] });
    expect(taken).toBe(0);
    const settled = await settleRates(plan, run, run.control, 240);
    expect(settled.plan.training.learningRate).toBeLessThan(plan.training.learningRate);
    expect(settled.notes[0]!.message).toMatch(/after 6 steps/);
    // At most: the loss as it is, and six rates, each for 6 steps and compared on as many batches.
    expect(taken).toBeLessThanOrEqual(6 + 6 * 12);
  });

  it('stops when asked to', async () => {
    const { run, plan } = await trained({ openRates: ['training'] }, { onStep: () => run?.control.stop('user') });
    await expect(settleRates(plan, run, run.control, 10_000)).rejects.toMatchObject({
      name: 'Stopped',
      reason: 'user',
    });
  });

  it('asks an untrained network to learn, and a trained one to keep what it knows', () => {
    expect(isHarmless(2.3, 1.5, 2.3)).toBe(true);
    expect(isHarmless(2.3, 2.1, 2.3)).toBe(true);
    expect(isHarmless(2.3, 2.3, 2.3)).toBe(false);
    // A network with constant answers has not learned, though its loss has fallen.
    expect(isHarmless(2.6, 2.3, 2.3)).toBe(false);
    expect(isHarmless(0.01, 0.1, 2.3)).toBe(true);
    expect(isHarmless(0.01, 0.5, 2.3)).toBe(false);
    expect(isHarmless(0.01, Infinity, 2.3)).toBe(false);
    expect(isHarmless(1, 1.4, null)).toBe(true);
    expect(isHarmless(1, 1.6, null)).toBe(false);
  });
});
