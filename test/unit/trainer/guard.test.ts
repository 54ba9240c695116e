import { describe, expect, it } from 'vitest';
import { sampleSource } from '../../../daemon/data/batches/sampleSource.js';
import { execute } from '../../../daemon/trainer/process/execute.js';
import { judge } from '../../../daemon/trainer/judge/findings.js';
import { freshGuard, isDestroyed, watch } from '../../../daemon/trainer/judge/lossGuard.js';
import { blobs, CLASSES, fakeRun, INPUTS, PLAN } from './fakeRun.js';

const short = {
  ...PLAN,
  schedule: { ...PLAN.schedule, iterations: 4, tolerance: 0 },
  reference: { ...PLAN.reference, epochs: 3 },
};

/** A clock by which every step takes so long that the engine computes one at a time. */
const hurried = () => {
  let now = 0;
  return () => (now += 30_000);
};

const lossOf = async (run: ReturnType<typeof fakeRun>, weights: Float32Array, source = run.sets.train) => {
  const { session } = fakeRun(PLAN);
  await session.setWeights(weights);
  return (await session.evaluate(source)).loss;
};

describe('the guard on the loss', () => {
  const after = (losses: readonly number[], chance: number | null = 2.3) => {
    const state = freshGuard();
    for (const loss of losses) watch(state, loss, chance);
    return state;
  };
  const repeat = (loss: number, times: number): number[] => new Array<number>(times).fill(loss);

  it('is raised by a loss that stays near chance, not by a short rise nor by one far below it', () => {
    expect(isDestroyed(after([0.1, ...repeat(2.3, 100)]), false)).toBe(true);
    expect(isDestroyed(after([0.1, ...repeat(1, 100)]), true)).toBe(false);
    expect(isDestroyed(after([0.1, ...repeat(5, 3), ...repeat(0.1, 30)]), true)).toBe(false);
    expect(isDestroyed(after([0.1, ...repeat(9, 8)]), false)).toBe(false);
    expect(isDestroyed(after([0.1, ...repeat(9, 8)]), true)).toBe(true);
  });

  it('lets a phase that begins near chance learn, and knows nothing without a loss by chance', () => {
    expect(isDestroyed(after(repeat(2.4, 100)), true)).toBe(false);
    expect(isDestroyed(after([2.4, ...repeat(9, 100)]), true)).toBe(true);
    expect(isDestroyed(after([0.1, ...repeat(9, 100)], null), true)).toBe(false);
  });

  const absurd = { ...short, training: { ...PLAN.training, learningRate: 60, decay: 1 } };

  it('saves a run from an absurd learning rate: goes back, says so, and the result is usable', async () => {
    const run = fakeRun(absurd);
    const { retrained } = await execute(run, null);
    const warnings = run.of('warning').filter(({ code }) => code === 'diverged');
    expect(warnings.length).toBeGreaterThan(0);
    expect(warnings[0]!.message).toMatch(/batch loss rose from .* in L step 1; going on from its beginning/);
    expect(warnings.slice(0, 3).map(({ rate }) => rate)).toEqual(
      [30, 15, 7.5].slice(0, warnings.length).map((value) => ({ section: 'training', value })),
    );
    const scales = run.saved.map(({ progress }) => progress.rateScale);
    expect(Math.min(...scales)).toBeLessThan(1);
    expect(retrained.error!).toBeLessThan(0.1);
    expect(retrained.loss!).toBeLessThan(0.5);
  });

  it('lets a halved rate recover slowly with every phase that ends well, to its whole', async () => {
    const run = fakeRun(
      { ...short, schedule: { ...short.schedule, iterations: 12 }, training: { ...PLAN.training, decay: 1 } },
      { divergesAbove: 0.1 },
    );
    // Only the very first L step fails.
    const train = run.session.train.bind(run.session);
    let failed = false;
    run.session.train = async (request) => {
      if (request.penalty && !failed) {
        failed = true;
        return train({ ...request, learningRate: () => 1 });
      }
      return train(request);
    };
    await execute(run, null);
    const scales = run.saved
      .filter(({ progress: { phase, step } }) => phase === 'l-step' && step === 0)
      .map(({ progress }) => progress.rateScale);
    expect(scales.slice(0, 2)).toEqual([1, 0.5]);
    for (let j = 2; j < scales.length; j++) expect(scales[j]!).toBeCloseTo(Math.min(1, 0.5 * 1.1 ** (j - 1)), 10);
    expect(scales.at(-1)).toBe(1);
  });

  it('is resumed from every checkpoint with the same bits', async () => {
    const whole = await execute(fakeRun(absurd), null);
    const run = fakeRun(absurd, { now: hurried() });
    expect((await execute(run, null)).weights).toEqual(whole.weights);
    expect(run.saved.some(({ progress }) => progress.guard.above > 0)).toBe(true);
    for (const state of run.saved.filter((_, i) => i % 11 === 0))
      expect((await execute(fakeRun(absurd), structuredClone(state))).weights).toEqual(whole.weights);
  });
});

describe('retraining', () => {
  const destructive = { ...short, retrain: { ...PLAN.retrain, learningRate: 3, decay: 1, epochs: 6 } };

  it('never worsens the training loss: the best of theta and its epochs is the result', async () => {
    const run = fakeRun(destructive);
    const { weights } = await execute(run, null);
    const theta = run.saved.find(({ progress: { phase, step } }) => phase === 'retrain' && step === 0)!.vectors.w;
    expect(await lossOf(run, weights)).toBeLessThanOrEqual(await lossOf(run, theta));
  });

  it('gives back theta, with a warning, where every epoch is worse', async () => {
    const run = fakeRun(destructive);
    // Every step of retraining is a step up the loss.
    const train = run.session.train.bind(run.session);
    run.session.train = (request) => train(request.mask ? { ...request, learningRate: () => -0.5 } : request);
    const { weights, retrained, theta } = await execute(run, null);
    const beginning = run.saved.find(({ progress: { phase, step } }) => phase === 'retrain' && step === 0)!;
    expect(weights).toEqual(beginning.vectors.w);
    expect(retrained).toEqual(theta);
    expect(run.of('warning').map(({ code }) => code)).toContain('retraining-undone');
  });

  it('that overfits is not delivered: the validation part decides where there is one', async () => {
    const plan = { ...short, retrain: { ...PLAN.retrain, epochs: 12, learningRate: 0.3, decay: 1 } };
    const validation = sampleSource(blobs(60, 3));
    const run = fakeRun(plan);
    // The targets of the validation part are those of another problem: what is learned is unlearned there.
    const shifted = {
      size: validation.size,
      async read(start: number, count: number, inputs: readonly Float32Array[], target: Float32Array) {
        await validation.read(start, count, inputs, target);
        for (let i = 0; i < count; i++) {
          const own = target.subarray(i * CLASSES, (i + 1) * CLASSES);
          own.set([own[CLASSES - 1]!, ...own.subarray(0, CLASSES - 1)]);
        }
      },
    };
    const overfitting = { ...run, sets: { ...run.sets, validation: shifted } };
    const { weights } = await execute(overfitting, null);
    const theta = run.saved.find(({ progress: { phase, step } }) => phase === 'retrain' && step === 0)!.vectors.w;
    expect(await lossOf(run, weights, shifted)).toBeLessThanOrEqual(await lossOf(run, theta, shifted));
    // The same run by its training loss alone trains on.
    const greedy = await execute(fakeRun(plan), null);
    expect(await lossOf(run, greedy.weights, shifted)).toBeGreaterThan(await lossOf(run, weights, shifted));
  });

  it('is resumed from every checkpoint with the same best network', async () => {
    const whole = await execute(fakeRun(destructive), null);
    const run = fakeRun(destructive, { now: hurried() });
    await execute(run, null);
    const within = run.saved.filter(({ progress }) => progress.phase === 'retrain');
    expect(within.filter(({ progress }) => progress.best !== null).length).toBeGreaterThan(10);
    for (const state of within.filter((_, i) => i % 3 === 0)) {
      const resumed = await execute(fakeRun(destructive), structuredClone(state));
      expect(resumed.weights).toEqual(whole.weights);
      expect(resumed.retrained).toEqual(whole.retrained);
    }
  });
});

describe('a budget changed in mid-run', () => {
  it('is projected before the next L step: its target keeps no more than the new budget', async () => {
    let steps = 0;
    const run = fakeRun(
      { ...short, schedule: { ...short.schedule, multipliers: 'QP' } },
      { onStep: () => void (++steps === 80 && run.control.setBudget({ weights: 5 })) },
    );
    const targets: Record<'before' | 'after', number[]> = { before: [], after: [] };
    const train = run.session.train.bind(run.session);
    run.session.train = (request) => {
      const kernel = request.penalty?.target.subarray(0, INPUTS * CLASSES);
      const when = run.of('budget').length > 0 ? 'after' : 'before';
      if (kernel) targets[when].push(kernel.filter((x) => x !== 0).length);
      return train(request);
    };
    await execute(run, null);
    const { iteration } = run.of('budget')[0]!;
    expect(iteration).toBeLessThan(short.schedule.iterations);
    expect(new Set(targets.before)).toEqual(new Set([12]));
    expect(new Set(targets.after)).toEqual(new Set([5]));
  });
});

describe('the end is judged', () => {
  const evaluation = (error: number) => ({ loss: 0.1, error, samples: 100 });
  const good = {
    reference: evaluation(0.02),
    retrained: evaluation(0.03),
    perLayer: [{ layer: 'fc1', weights: 100, kept: 10 }],
    budget: [],
    agreement: { ratio: 0.02, supportChange: 1, kept: 10 },
    constant: false,
  };
  const chance = { chanceError: 0.9, chanceLoss: 2.3, regression: false };
  const codes = (changes: Partial<Parameters<typeof judge>[0]>, run: Parameters<typeof judge>[1] = chance) =>
    judge({ ...good, ...changes }, run).map(({ code, unusable }) => `${code}${unusable ? '!' : ''}`);

  it('finds nothing amiss with a good result', () => expect(codes({})).toEqual([]));

  it.each([
    ['an error near chance', { retrained: evaluation(0.88) }, ['near-chance!']],
    ['no finite loss', { retrained: { loss: null, error: null, samples: 90 } }, ['near-chance!']],
    ['constant outputs', { constant: true }, ['constant-output!']],
    ['a dead layer', { perLayer: [{ layer: 'fc1', weights: 235_200, kept: 0 }] }, ['dead-layer!']],
    ['w far from theta', { agreement: { ratio: 0.11, supportChange: 0, kept: 10 } }, ['not-converged']],
    ['a ratio that is not finite', { agreement: { ratio: null, supportChange: 0, kept: 10 } }, ['not-converged']],
    ['few samples', { retrained: { loss: 0.1, error: 0, samples: 29 } }, ['few-samples']],
    ['a changing support', { agreement: { ratio: 0.01, supportChange: 2, kept: 10 } }, ['support-changing']],
  ] as const)('%s is a finding of its own', (_, changes, expected) => expect(codes(changes)).toEqual(expected));

  it('goes by the loss where chance has no error, and does not blame a run for a reference that knew nothing', () => {
    expect(codes({ retrained: { loss: 2.3, error: 0.4, samples: 90 } }, { ...chance, chanceError: null })).toEqual([
      'near-chance!',
    ]);
    expect(codes({ reference: evaluation(0.9), retrained: evaluation(0.89) })).toEqual(['near-chance']);
    const [finding] = judge({ ...good, perLayer: [{ layer: 'fc1', weights: 235_200, kept: 0 }] }, chance);
    expect(finding!.message).toContain('"fc1" IS DEAD: it keeps 0 of 235,200 weights');
  });

  it('is done on the run itself: outputs that are the same for every input, and the last agreement', async () => {
    const given = { ...short, reference: { ...PLAN.reference, epochs: 0 }, method: 'reference' as const };
    const run = fakeRun(given);
    await run.session.setWeights(new Float32Array(run.session.size).fill(0, 0, INPUTS * CLASSES));
    expect((await execute(run, null)).constant).toBe(true);
    const healthy = fakeRun(short);
    const outcome = await execute(healthy, null);
    expect(outcome.constant).toBe(false);
    const last = healthy.of('iteration').at(-1)!;
    expect(outcome.agreement).toEqual({ ratio: last.ratio, supportChange: last.supportChange, kept: last.kept });
  });
});
