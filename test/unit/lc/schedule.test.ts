import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstIteration, pathKappas } from '../../../daemon/lc/path.js';
import { clipLearningRate, gradualKappa, gradualSparsity, learningRateAt, muAt } from '../../../daemon/lc/schedule.js';
import { parseBytes, parseShare, shareOf } from '../../../daemon/lc/share.js';

fc.configureGlobal({ seed: 20180618 });

describe('schedules', () => {
  it('mu grows geometrically', () => {
    expect(muAt({ mu0: 9e-5, a: 1.1 }, 0)).toBe(9e-5);
    expect(muAt({ mu0: 9e-5, a: 1.1 }, 39)).toBeCloseTo(9e-5 * 1.1 ** 39, 12);
  });

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
    const settings = { learningRate: 0.1, decay: 0.5 };
    const perIteration = { ...settings, decayMode: 'iteration' as const };
    const perEpoch = { ...settings, decayMode: 'epoch' as const };
    expect(learningRateAt(perIteration, 2, 7, null)).toBe(0.025);
    expect(learningRateAt(perEpoch, 2, 0.9, null)).toBe(0.1);
    expect(learningRateAt(perEpoch, 2, 1, null)).toBe(0.05);
    expect(learningRateAt(perEpoch, 5, 0, 100)).toBe(0.0025);
    expect(learningRateAt(perIteration, 0, 0, 2)).toBe(0.1);
  });

  it('gradual sparsity is the cubic of Zhu & Gupta, from initial to final', () => {
    expect(gradualSparsity(0, 0.9, 0.1)).toBeCloseTo(0.1, 12);
    expect(gradualSparsity(0.5, 0.8)).toBeCloseTo(0.8 - 0.8 / 8, 12);
    expect(gradualSparsity(1, 0.9)).toBe(0.9);
    expect(gradualSparsity(2, 0.9)).toBe(0.9);
    let before = Infinity;
    for (let t = 0; t <= 1; t += 0.1) {
      const kappa = gradualKappa(t, 2662, 266_200);
      expect(kappa).toBeLessThanOrEqual(before);
      before = kappa;
    }
    expect(gradualKappa(0, 2662, 266_200)).toBe(266_200);
    expect(gradualKappa(1, 2662, 266_200)).toBe(2662);
  });
});

describe('a path of budgets', () => {
  it('falls geometrically between its ends', () => {
    expect(pathKappas(1000, 1, 4)).toEqual([1000, 100, 10, 1]);
    expect(pathKappas(3, 1, 9)).toEqual([3, 2, 1]);
    expect(pathKappas(7, 7, 1)).toEqual([7]);
    expect(() => pathKappas(1, 5, 3)).toThrow(RangeError);
  });

  it('restarts mu mid-range: eight budgets cost less than half of eight runs and end at the same mu', () => {
    const schedule = { mu0: 1e-4, a: 1.2, iterations: 40 };
    const first = Array.from({ length: 8 }, (_, i) => firstIteration(schedule.iterations, i > 0, 0.6));
    expect(first).toEqual([0, 24, 24, 24, 24, 24, 24, 24]);
    expect(first.reduce((sum, j) => sum + schedule.iterations - j, 0)).toBeLessThanOrEqual(8 * 20);
    expect(muAt(schedule, first[1]!)).toBeGreaterThan(muAt(schedule, 20));
    expect(firstIteration(1, true, 0.6)).toBe(0);
    expect(firstIteration(10, true, 1)).toBe(9);
  });
});

describe('shares and sizes', () => {
  it.each([
    ['1%', 0.01],
    [' 2.5 % ', 0.025],
    [0.3, 0.3],
    ['100%', 1],
  ])('share %s', (text, fraction) => expect(parseShare(text)).toBe(fraction));
  it.each(['1', '-1%', '101%', 'x', 1.01, -0.1, NaN])('share %s is refused', (text) => {
    expect(() => parseShare(text)).toThrow(RangeError);
  });

  it('a share of a count is rounded up, but not by floating point', () => {
    expect(shareOf(0.01, 266_200)).toBe(2662);
    expect(shareOf(0.011, 100)).toBe(2);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 30_000_000 }), (percent, count) => {
        // In integers: ceil(percent * count / 100).
        const exact = Number((BigInt(percent) * BigInt(count) + 99n) / 100n);
        expect(shareOf(parseShare(`${percent}%`), count)).toBe(exact);
      }),
    );
  });

  it.each([
    [8192, 8192],
    ['8 kB', 8192],
    ['1.5 MB', 1_572_864],
    ['40KB', 40_960],
    ['1 GB', 2 ** 30],
    ['17 B', 17],
  ])('size %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));
  it.each(['8', '8 Mb', '', -1, NaN, Infinity])('size %s is refused', (text) => {
    expect(() => parseBytes(text)).toThrow(RangeError);
  });
});
