import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstIteration, pathKappas } from '../../../daemon/lc/path.js';
import { gradualKappa, gradualSparsity, muAt } from '../../../daemon/lc/schedule.js';
import { parseBytes, parseShare, shareOf } from '../../../daemon/lc/share.js';

fc.configureGlobal({ seed: 20180618 });

describe('schedules', () => {
  it('mu grows geometrically', () => {
    expect(muAt({ mu0: 9e-5, a: 1.1 }, 0)).toBe(9e-5);
    expect(muAt({ mu0: 9e-5, a: 1.1 }, 39)).toBeCloseTo(9e-5 * 1.1 ** 39, 12);
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
