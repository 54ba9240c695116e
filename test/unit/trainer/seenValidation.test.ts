import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../daemon/lc/random.js';
import { execute } from '../../../daemon/trainer/process/execute.js';
import { decisionNotes } from '../../../daemon/trainer/judge/evaluations.js';
import { fewerErrorsByChance, seenValidation } from '../../../daemon/trainer/judge/seenValidation.js';
import { sampleSource } from '../../../daemon/data/batches/sampleSource.js';
import { blobs, fakeRun, PLAN } from './fakeRun.js';

/** The same probability in whole numbers, by counting every table of the same margins. */
function counted(wrong: number, size: number, otherWrong: number, otherSize: number): number {
  const choose = (n: number, k: number): bigint => {
    let result = 1n;
    for (let i = 0; i < k; i++) result = (result * BigInt(n - i)) / BigInt(i + 1);
    return k < 0 || k > n ? 0n : result;
  };
  const all = wrong + otherWrong;
  let sum = 0n;
  for (let k = 0; k <= wrong; k++) sum += choose(size, k) * choose(otherSize, all - k);
  return Number((sum * 10n ** 18n) / choose(size + otherSize, all)) / 1e18;
}

describe("Fisher's exact test", () => {
  it.each([
    [0, 5, 5, 5],
    [1, 12, 7, 9],
    [3, 3, 0, 4],
    [0, 600, 40, 1000],
    [12, 600, 40, 1000],
    [17, 300, 17, 300],
  ])('is the count of all tables: %d of %d, %d of %d', (...table) => {
    const expected = counted(...table);
    expect(Math.abs(fewerErrorsByChance(...table) - expected)).toBeLessThan(1e-10 * Math.max(1e-6, expected));
  });

  it('of samples of one rate, is below p about as often as p', () => {
    const random = createRandom(4);
    const errors = (n: number) => Array.from({ length: n }).filter(() => random.next() < 0.05).length;
    const below = Array.from({ length: 2000 }).filter(
      () => fewerErrorsByChance(errors(400), 400, errors(900), 900) < 0.05,
    );
    // Discrete: below the level, never far above it.
    expect(below.length).toBeLessThan(130);
    expect(below.length).toBeGreaterThan(40);
  });

  it('stays a probability at the size of ImageNet', () => {
    const p = fewerErrorsByChance(30_000, 128_000, 12_000, 50_000);
    expect(p).toBeGreaterThan(0);
    expect(p).toBeLessThan(0.5);
  });
});

describe('a validation part that the given model was trained on', () => {
  const part = (error: number, samples: number) => ({ loss: 1, error, samples });
  it('is reported, with the figures and the way out', () => {
    const message = seenValidation(part(0.0005, 6000), part(0.016, 10000))!;
    expect(message).toMatch(
      /0\.050% of the validation part and 1\.60% of the test part .*p < 1e-12.*remove "validation"/,
    );
  });
  it('is not suspected where the gap may be chance, is the other way round, or nothing can be concluded', () => {
    expect(seenValidation(part(0.012, 6000), part(0.016, 10000))).toBeNull();
    expect(seenValidation(part(0.05, 6000), part(0.01, 10000))).toBeNull();
    expect(seenValidation(undefined, part(0.5, 100))).toBeNull();
    expect(seenValidation({ loss: null, error: null, samples: 0 }, part(0.5, 100))).toBeNull();
  });

  /** A validation part with the training part's labels, and a test part with other ones: what a model has learnt by heart. */
  const warnings = async (epochs: number) => {
    const trained = fakeRun({ ...PLAN, method: 'reference' });
    await execute(trained, null);
    const plan = { ...PLAN, reference: { ...PLAN.reference, epochs } };
    const run = fakeRun(plan);
    await run.session.setWeights(trained.kept[0]!);
    const [known, strange] = [blobs(160, 1), blobs(400, 2)];
    const wrongly = sampleSource(strange);
    Object.assign(run.sets, {
      validation: sampleSource(known),
      test: {
        size: 400,
        async read(start: number, count: number, inputs: readonly Float32Array[], target: Float32Array) {
          await wrongly.read(start, count, inputs, target);
          // Every second answer is another one.
          const classes = target.length / Math.max(1, target.length / run.session.outputShape[0]!);
          for (let i = 0; i < count; i += 2) target.subarray(i * classes, (i + 1) * classes).reverse();
        },
      },
    });
    await execute(run, null);
    return run.of('warning').filter(({ code }) => code === 'seen-validation');
  };

  it('is warned of once in a run, and not where the plan trains the reference', async () => {
    expect((await warnings(0)).length).toBe(1);
    expect((await warnings(2)).length).toBe(0);
  });

  it('is not the advice for a path with a bound on a given model', () => {
    const path = { budgets: [{ keep: 0.1 }], warmStart: 0, maxErrorIncrease: 0.01, maxError: null, refinements: 0 };
    const sets = fakeRun(PLAN).sets;
    const notes = (epochs: number) =>
      decisionNotes({ ...PLAN, path, reference: { ...PLAN.reference, epochs } }, sets).join();
    expect(notes(5)).toContain('"validation": 0.1');
    expect(notes(0)).toContain('The training part will decide');
    expect(notes(0)).not.toContain('"validation"');
    expect(notes(0)).not.toContain('less than one');
    const bound = { maxErrorIncrease: null, maxError: 0.5 / sets.train.size };
    expect(decisionNotes({ ...PLAN, path: { ...path, ...bound } }, sets).join()).toContain('less than one of them');
  });
});
