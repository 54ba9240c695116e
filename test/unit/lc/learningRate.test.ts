import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clipLearningRate,
  learningRateAt,
  RATE_SCHEDULES,
  rateText,
  trainingRateAt,
  type LearningRateSettings,
  type RateSchedule,
} from '../../../daemon/lc/learningRate.js';

fc.configureGlobal({ seed: 20180618 });

const SETTINGS: LearningRateSettings = {
  learningRate: 0.1,
  learningRateSchedule: 'exponential',
  decay: 0.98,
  decayMode: 'iteration',
  warmup: 0,
};
const of = (learningRateSchedule: RateSchedule, more: Partial<LearningRateSettings> = {}) => ({
  ...SETTINGS,
  learningRate: 1,
  learningRateSchedule,
  ...more,
});

describe('the learning rate', () => {
  it('the learning rate is clipped at a quarter of 1/mu, which leaves Nesterov room for the loss beside the penalty', () => {
    expect(clipLearningRate(0.1, 2)).toBe(0.1);
    expect(clipLearningRate(0.1, 20)).toBe(0.0125);
    // The penalty's dynamics w <- w - step along Nesterov momentum 0.9, target 0.
    const run = (eta: number, mu: number): number => {
      let [w, velocity] = [1, 0];
      for (let i = 0; i < 500; i++) {
        const gradient = mu * w;
        velocity = 0.9 * velocity - eta * gradient;
        w += 0.9 * velocity - eta * gradient;
      }
      return Math.abs(w);
    };
    for (const mu of [0.1, 3, 1000]) expect(run(clipLearningRate(10, mu), mu)).toBeLessThan(1e-3);
    // The loss's own curvature, up to what eta alone is stable at with a little to spare: 1/mu diverges, this does not.
    for (const mu of [5, 10, 21, 100]) {
      const h = 1.1 / 0.1;
      expect(run(0.1, h)).toBeLessThan(1);
      expect(run(clipLearningRate(0.1, mu), mu + h)).toBeLessThan(1);
    }
    expect(run(Math.min(0.1, 1 / 10), 10 + 11)).toBeGreaterThan(1e6);
    expect(run(1.34, 1)).toBeLessThan(1);
    expect(run(1.37, 1)).toBeGreaterThan(1);
  });

  it('decays per LC iteration, or restarts every L step and decays per epoch inside', () => {
    const settings = { ...SETTINGS, decay: 0.5 };
    const perIteration = { ...settings, decayMode: 'iteration' as const };
    const perEpoch = { ...settings, decayMode: 'epoch' as const };
    const at = (iteration: number, epoch: number) => ({ iteration, iterations: 10, epoch, epochs: 8 });
    expect(learningRateAt(perIteration, at(2, 7), null)).toBe(0.025);
    expect(learningRateAt(perEpoch, at(2, 0.9), null)).toBe(0.1);
    expect(learningRateAt(perEpoch, at(2, 1), null)).toBe(0.05);
    expect(learningRateAt(perEpoch, at(5, 0), 100)).toBe(0.0025);
    expect(learningRateAt(perIteration, at(0, 0), 2)).toBe(0.1);
  });

  it('falls along half a wave, as PyTorch 1.13 has it (CosineAnnealingLR, T_max = 8)', () => {
    const expected = [
      1.0, 0.961939766256, 0.853553390593, 0.691341716183, 0.5, 0.308658283817, 0.146446609407, 0.038060233744,
    ];
    expected.forEach((rate, epoch) => expect(trainingRateAt(of('cosine'), epoch, 8)).toBeCloseTo(rate, 9));
    expect(trainingRateAt(of('cosine'), 8, 8)).toBeCloseTo(0, 12);
  });

  it('goes through one cycle, as PyTorch 1.13 has it (OneCycleLR of 20,001 steps, max_lr = 1)', () => {
    const expected: readonly (readonly [t: number, rate: number])[] = [
      [0, 0.04],
      [0.1, 0.280051],
      [0.2, 0.760102],
      [0.3, 1.0],
      [0.5, 0.811702],
      [0.8, 0.188241],
      [0.999, 9e-6],
    ];
    for (const [t, rate] of expected) expect(trainingRateAt(of('one-cycle'), 20 * t, 20)).toBeCloseTo(rate, 3);
  });

  it('falls from one L step to the next, or inside each, by the clock of the plan', () => {
    const at = (iteration: number, epoch: number) => ({ iteration, iterations: 40, epoch, epochs: 3 });
    const perIteration = of('cosine');
    expect(learningRateAt(perIteration, at(20, 0), null)).toBeCloseTo(0.5, 12);
    expect(learningRateAt(perIteration, at(20, 2.9), null)).toBeCloseTo(0.5, 12);
    // The last L step still trains.
    expect(learningRateAt(perIteration, at(39, 0), null)).toBeGreaterThan(1e-3);
    const perEpoch = of('cosine', { decayMode: 'epoch' });
    expect(learningRateAt(perEpoch, at(20, 1.5), null)).toBeCloseTo(0.5, 12);
    expect(learningRateAt(perEpoch, at(30, 1.5), null)).toBeCloseTo(0.5, 12);
    expect(learningRateAt(perEpoch, at(30, 1.5), 10)).toBe(0.025);
  });

  it('rises from a tenth in the warm-up of the first L step, and is never above its schedule', () => {
    const warm = of('constant', { warmup: 2 });
    const at = (iteration: number, epoch: number) => ({ iteration, iterations: 40, epoch, epochs: 3 });
    expect([0, 1, 2, 2.5].map((epoch) => learningRateAt(warm, at(0, epoch), null))).toEqual([0.1, 0.55, 1, 1]);
    expect(learningRateAt(warm, at(1, 0), null)).toBe(1);
    // A phase that is shorter than the warm-up ends at the full rate.
    expect(trainingRateAt(warm, 0.5, 1)).toBeCloseTo(0.55, 12);
    expect(trainingRateAt(warm, 0, 0)).toBe(1);
    const names = Object.keys(RATE_SCHEDULES) as RateSchedule[];
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 60 }),
        (name, t, epochs, warmup) => {
          const rate = trainingRateAt(of(name, { warmup }), t * epochs, epochs);
          expect(rate).toBeLessThanOrEqual(trainingRateAt(of(name), t * epochs, epochs));
          expect(rate).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  it('a report words each schedule with the clock it runs by', () => {
    expect(rateText(of('exponential'))).toBe('learning rate 1 x 0.98 per iteration');
    expect(rateText(of('cosine', { warmup: 2 }))).toBe(
      'learning rate 1, cosine over the iterations, 2 epochs of warm-up',
    );
    expect(rateText(of('one-cycle', { decayMode: 'epoch' }))).toBe('learning rate 1, one cycle over each phase');
    expect(rateText(of('constant'))).toBe('learning rate 1, constant');
  });
});
