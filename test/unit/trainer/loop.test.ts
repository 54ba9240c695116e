import { describe, expect, it } from 'vitest';
import type { TrainRequest } from '../../../daemon/engine/engine.js';
import { execute, totalSteps } from '../../../daemon/trainer/process/execute.js';
import { atTheta } from '../../../daemon/trainer/stages.js';
import { CLASSES, fakeRun, INPUTS, PLAN, type FakeRun } from './fakeRun.js';

const KERNEL = INPUTS * CLASSES;
const nonZeros = (weights: Float32Array): number =>
  weights.subarray(0, KERNEL).reduce((n, x) => n + Number(x !== 0), 0);

interface Call {
  readonly request: TrainRequest;
  readonly before: Float32Array;
  readonly after: Float32Array;
  readonly velocity: Float32Array;
  readonly target: Float32Array | null;
  readonly rates: number[];
}

/** Records every training call with the weights before and after. */
function recorded(run: FakeRun): Call[] {
  const calls: Call[] = [];
  const train = run.session.train.bind(run.session);
  run.session.train = async (request) => {
    const before = await run.session.getWeights();
    const velocity = await run.session.getVelocity();
    const target = request.penalty ? request.penalty.target.slice() : null;
    const rates = Array.from({ length: request.steps }, (_, i) => request.learningRate(i));
    const summary = await train(request);
    calls.push({ request, before, after: await run.session.getWeights(), velocity, target, rates });
    return summary;
  };
  return calls;
}

/** The calls of one L step each, distinguished by their mu. */
function lSteps(calls: Call[]): Call[][] {
  const steps: Call[][] = [];
  for (const call of calls) {
    if (!call.request.penalty) continue;
    const last = steps.at(-1);
    if (last && last[0]!.request.penalty!.mu === call.request.penalty.mu) last.push(call);
    else steps.push([call]);
  }
  return steps;
}

/** The kappa largest |v|, by sorting, in float64: the required result of the l0 C step. */
function topK(v: number[], kappa: number): number[] {
  const order = v.map((_, i) => i).sort((a, b) => Math.abs(v[b]!) - Math.abs(v[a]!));
  const kept = new Set(order.slice(0, kappa));
  return v.map((x, i) => (kept.has(i) ? x : 0));
}

describe('the LC loop', () => {
  it('follows the pseudocode: targets, C steps and multipliers of an independent float64 run on the same w', async () => {
    const run = fakeRun({ ...PLAN, schedule: { ...PLAN.schedule, tolerance: 0 } });
    const calls = recorded(run);
    await execute(run, null);
    const steps = lSteps(calls);
    expect(steps).toHaveLength(PLAN.schedule.iterations);

    const reference = steps[0]![0]!.before;
    let theta = topK([...reference.subarray(0, KERNEL)], 12);
    let lambda = theta.map(() => 0);
    for (const [j, step] of steps.entries()) {
      const { mu } = step[0]!.request.penalty!;
      expect(mu).toBeCloseTo(PLAN.schedule.mu0 * PLAN.schedule.a ** j, 12);
      const target = theta.map((x, i) => x + lambda[i]! / mu);
      for (let i = 0; i < KERNEL; i++) expect(step[0]!.target![i]).toBeCloseTo(target[i]!, 4);
      expect(step[0]!.velocity.every((x) => x === 0)).toBe(true);
      const w = [...step.at(-1)!.after.subarray(0, KERNEL)];
      theta = topK(
        w.map((x, i) => x - lambda[i]! / mu),
        12,
      );
      lambda = lambda.map((x, i) => x - mu * (w[i]! - theta[i]!));
      const event = run.of('iteration')[j]!;
      const difference = Math.hypot(...w.map((x, i) => x - theta[i]!));
      expect(event.distance).toBeCloseTo(difference, 4);
      expect(event.ratio).toBeCloseTo(difference / Math.hypot(...w), 4);
      expect(event.kept).toBe(12);
      // The next L step begins at w, not at theta: evaluating at theta has left nothing behind.
      const next = steps[j + 1]?.[0];
      if (next) expect(next.before).toEqual(step.at(-1)!.after);
    }
    const retraining = calls.filter(({ request }) => request.mask);
    for (let i = 0; i < KERNEL; i++) expect(retraining[0]!.before[i]).toBeCloseTo(theta[i]!, 4);
  });

  it('meets the budget, keeps the support fixed while retraining, and beats direct compression', async () => {
    const run = fakeRun(PLAN);
    const calls = recorded(run);
    const { weights, reference, theta, retrained } = await execute(run, null);
    expect(nonZeros(weights)).toBe(12);
    const retraining = calls.filter(({ request }) => request.mask);
    expect(retraining.length).toBeGreaterThan(0);
    for (const { after } of retraining) {
      for (let i = 0; i < KERNEL; i++) expect(after[i]! !== 0).toBe(weights[i]! !== 0);
    }
    expect(weights.subarray(KERNEL)).not.toEqual(retraining[0]!.before.subarray(KERNEL));
    const directTest = run.of('evaluation').find(({ at, set }) => at === 'direct' && set === 'test')!;
    expect(retrained.error!).toBeLessThan(directTest.error!);
    expect(retrained.error!).toBeLessThan(reference.error! + 0.1);
    expect(theta.loss).not.toBeNull();
    const ratios = run.of('iteration').map(({ ratio }) => ratio!);
    expect(ratios.at(-1)!).toBeLessThan(ratios[0]! / 10);
  });

  it('logs the reported figures: what it says of the result is what the result has', async () => {
    const run = fakeRun(PLAN);
    const { weights, retrained } = await execute(run, null);
    await run.session.setWeights(weights);
    const test = await run.session.evaluate(run.sets.test!);
    expect(retrained).toEqual({ loss: test.loss, error: test.error, samples: 200 });
  });

  it('clips the learning rate at a quarter of 1/mu and decays it as the mode says', async () => {
    const steep = { ...PLAN.schedule, mu0: 1, a: 4, iterations: 4, tolerance: 0 };
    for (const decayMode of ['iteration', 'epoch'] as const) {
      const run = fakeRun({ ...PLAN, schedule: steep, training: { ...PLAN.training, decay: 0.5, decayMode } });
      const calls = recorded(run);
      await execute(run, null);
      const perStep = lSteps(calls).map((step) => step.flatMap(({ rates }) => rates));
      for (const [j, rates] of perStep.entries()) {
        const mu = 4 ** j;
        expect(rates).toHaveLength(10 * (j === 0 ? 3 : 2));
        rates.forEach((rate, i) => {
          const decays = decayMode === 'iteration' ? j : Math.floor(i / 10);
          expect(rate).toBeCloseTo(Math.min(0.1 * 0.5 ** decays, 0.25 / mu), 12);
        });
      }
    }
  });

  it('gives the engine the rates of a cosine over the L steps, after a warm-up of the first', async () => {
    const schedule = { ...PLAN.schedule, mu0: 1e-6, iterations: 4, tolerance: 0 };
    const training = { ...PLAN.training, learningRateSchedule: 'cosine', warmup: 1 } as const;
    const run = fakeRun({ ...PLAN, schedule, training });
    const calls = recorded(run);
    await execute(run, null);
    const perStep = lSteps(calls).map((step) => step.flatMap(({ rates }) => rates));
    expect(perStep).toHaveLength(4);
    for (const [j, rates] of perStep.entries())
      rates.forEach((rate, i) => {
        const warmth = j === 0 && i < 10 ? 0.1 + 0.09 * i : 1;
        expect(rate).toBeCloseTo(0.05 * (1 + Math.cos((Math.PI * j) / 4)) * warmth, 12);
      });
  });

  it('counts a fraction of an epoch in steps', async () => {
    const run = fakeRun({
      ...PLAN,
      schedule: { ...PLAN.schedule, epochs: 0.25, firstEpochs: 0.01, iterations: 3, tolerance: 0 },
    });
    await execute(run, null);
    const phases = run.of('phase').filter(({ phase }) => phase === 'l-step');
    expect(phases.map(({ steps }) => steps)).toEqual([1, 3, 3]);
  });

  it('has no multipliers with the quadratic penalty: the target is theta', async () => {
    const run = fakeRun({ ...PLAN, schedule: { ...PLAN.schedule, multipliers: 'QP', tolerance: 0 } });
    const calls = recorded(run);
    await execute(run, null);
    const steps = lSteps(calls);
    for (const [j, step] of steps.slice(1).entries()) {
      const theta = topK([...steps[j]!.at(-1)!.after.subarray(0, KERNEL)], 12).map(Math.fround);
      expect([...step[0]!.target!.subarray(0, KERNEL)]).toEqual(theta);
    }
  });

  it('stops when w and theta agree and the support is stable', async () => {
    const run = fakeRun({ ...PLAN, schedule: { ...PLAN.schedule, iterations: 60, tolerance: 0.05 } });
    await execute(run, null);
    const events = run.of('iteration');
    expect(events.length).toBeLessThan(60);
    expect(events.at(-1)!.ratio!).toBeLessThan(0.05);
    expect(events.slice(-2).map(({ supportChange }) => supportChange)).toEqual([0, 0]);
  });

  it('leaves weights outside the tasks free and dense', async () => {
    const run = fakeRun(PLAN);
    const { weights } = await execute(run, null);
    expect([...weights.subarray(KERNEL)].every((x) => x !== 0)).toBe(true);
    for (const { kept, perLayer } of run.of('iteration')) {
      expect(perLayer).toEqual([{ layer: 'fc', weights: KERNEL, kept }]);
    }
  });

  it('warns when the reference is at chance', async () => {
    const bad = fakeRun({ ...PLAN, method: 'reference', reference: { ...PLAN.reference, epochs: 0 } });
    await bad.session.setWeights(new Float32Array(bad.session.size));
    await execute(bad, null);
    expect(bad.of('warning').map(({ code }) => code)).toEqual(['at-chance']);
    const good = fakeRun({ ...PLAN, method: 'reference' });
    await execute(good, null);
    expect(good.of('warning')).toEqual([]);
  });

  it('does not train a reference that is given, and keeps one that is trained', async () => {
    const given = fakeRun({ ...PLAN, method: 'reference', reference: { ...PLAN.reference, epochs: 0 } });
    const before = await given.session.getWeights();
    const { weights } = await execute(given, null);
    expect(weights).toEqual(before);
    expect(given.kept).toHaveLength(0);
    const trained = fakeRun({ ...PLAN, method: 'reference' });
    const outcome = await execute(trained, null);
    expect(trained.kept).toEqual([outcome.weights]);
  });

  it('changes engine sessions with the batch size and loses nothing', async () => {
    const run = fakeRun({ ...PLAN, retrain: { ...PLAN.retrain, batchSize: 8 } });
    const { weights } = await execute(run, null);
    expect(run.session.disposed).toBe(true);
    expect(nonZeros(weights)).toBe(12);
    const last = run
      .of('phase')
      .filter(({ phase }) => phase === 'retrain')
      .at(-1)!;
    expect(last.steps).toBe(4 * 20);
  });

  it('announces as many steps as it does', async () => {
    const run = fakeRun({ ...PLAN, schedule: { ...PLAN.schedule, tolerance: 0 } });
    const total = totalSteps(run);
    await execute(run, null);
    expect(run.of('evaluation').at(-1)!.step).toBe(total);
    expect(run.of('batch').at(-1)!.step).toBe(total);
  });

  it('puts w back after an evaluation at theta, also when that fails', async () => {
    const run = fakeRun(PLAN);
    const w = await run.session.getWeights();
    const { tasks } = run.tasks(null);
    let seen = w;
    const failing = atTheta(run.session, w, new Float32Array(w.length), tasks, async () => {
      seen = await run.session.getWeights();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(nonZeros(seen)).toBe(0);
    expect(seen.subarray(KERNEL)).toEqual(w.subarray(KERNEL));
    expect(await run.session.getWeights()).toEqual(w);
  });
});
