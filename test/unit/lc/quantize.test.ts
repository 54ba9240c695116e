import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nestedCodebook } from '../../../daemon/lc/codebook.js';
import { int8, int8Step, learnedCodebook, ternary } from '../../../daemon/lc/quantize.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { sortDescending } from '../../../daemon/lc/projections/sortDescending.js';
import { nonZeros, project, squaredDistance, squared, weights } from './oracles.js';

fc.configureGlobal({ seed: 20180618 });

/** The least ||v - theta||^2 over every assignment of v to zero or one of K clusters coded by their means. */
function bestClustering(v: Float32Array, K: number, kappa: number): number {
  let best = Infinity;
  const assign = new Array<number>(v.length).fill(0);
  const visit = (i: number, kept: number): void => {
    if (i < v.length) {
      for (let c = 0; c <= K; c++) {
        assign[i] = c;
        if (c === 0 || kept < kappa) visit(i + 1, kept + (c === 0 ? 0 : 1));
      }
      return;
    }
    let cost = 0;
    for (let c = 0; c <= K; c++) {
      const members = [...v].filter((_, j) => assign[j] === c);
      const mean = c === 0 ? 0 : members.reduce((a, b) => a + b, 0) / members.length;
      for (const x of members) cost += (x - mean) ** 2;
    }
    best = Math.min(best, cost);
  };
  visit(0, 0);
  return best;
}

/** The least ||v - theta||^2 with theta_i in {0, codes of i} and at most kappa non-zeros: every support, each its nearest code. */
function bestOnCodes(v: Float32Array, codesOf: (i: number) => number[], kappa: number): number {
  const gains = [...v].map((x, i) => Math.max(0, ...codesOf(i).map((c) => x * x - (x - c) ** 2)));
  let best = 0;
  for (let mask = 0; mask < 2 ** v.length; mask++) {
    const chosen = gains.filter((_, i) => (mask >> i) & 1);
    if (chosen.length <= kappa)
      best = Math.max(
        best,
        chosen.reduce((a, b) => a + b, 0),
      );
  }
  return squared(v) - best;
}

describe('prune + quantize, learned codebook', () => {
  it('no clustering with at most kappa coded weights is nearer', () => {
    fc.assert(
      fc.property(weights(1, 6), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 6 }), (v, K, kappa) => {
        const compression = learnedCodebook(K, kappa, v.length);
        const theta = project(compression, v);
        expect(nonZeros(theta)).toBeLessThanOrEqual(kappa);
        expect(new Set([...theta].filter((x) => x !== 0)).size).toBeLessThanOrEqual(K);
        expect(squaredDistance(v, theta)).toBeCloseTo(bestClustering(v, K, kappa), 5);
        const inPlace = v.slice();
        compression.project(inPlace, 1, inPlace);
        expect(inPlace).toEqual(theta);
      }),
      { numRuns: 150 },
    );
  });

  it('a result is on its own codebook already', () => {
    const random = createRandom(2);
    const v = Float32Array.from({ length: 500 }, () => random.normal());
    const compression = learnedCodebook(5, 100, 500);
    const theta = project(compression, v);
    expect([...new Set(theta)].filter((x) => x !== 0).sort((a, b) => a - b)).toEqual([...compression.codes()]);
    expect(squaredDistance(project(compression, theta), theta)).toBeLessThan(1e-10);
  });

  it('is nowhere worse than Lloyd iterations from many starts (5,000 weights, 8 codes)', () => {
    const random = createRandom(11);
    const v = Float32Array.from({ length: 5000 }, () => random.normal() * (random.next() < 0.2 ? 1 : 0.2));
    const kappa = 800;
    const exact = squaredDistance(v, project(learnedCodebook(8, kappa, v.length), v));
    for (let start = 0; start < 20; start++) {
      let codes = Array.from({ length: 8 }, () => random.normal() * 2);
      let cost = Infinity;
      for (let iteration = 0; iteration < 30; iteration++) {
        const gains = [...v].map((x) => codes.map((c) => c * (2 * x - c)));
        const best = gains.map((g) => g.indexOf(Math.max(...g)));
        const kept = [...v.keys()]
          .filter((i) => gains[i]![best[i]!]! > 0)
          .sort((i, j) => gains[j]![best[j]!]! - gains[i]![best[i]!]!)
          .slice(0, kappa);
        cost = squared(v) - kept.reduce((sum, i) => sum + gains[i]![best[i]!]!, 0);
        codes = codes.map((c, k) => {
          const members = kept.filter((i) => best[i] === k);
          return members.length === 0 ? c : members.reduce((sum, i) => sum + v[i]!, 0) / members.length;
        });
      }
      expect(exact).toBeLessThanOrEqual(cost * (1 + 1e-6));
    }
  });

  it('merged, then refined: as good as the exact dynamic program, O(K n^2)', () => {
    /** saved[k][j]: the most that k codes save on the j largest. */
    const exactOf = (values: number[], K: number): Float64Array[] => {
      const sums = new Float64Array(values.length + 1);
      values.forEach((x, i) => (sums[i + 1] = sums[i]! + x));
      const saved = [new Float64Array(values.length + 1)];
      for (let k = 1; k <= K; k++) {
        const row = new Float64Array(values.length + 1);
        for (let j = 1; j <= values.length; j++)
          for (let i = 0; i < j; i++)
            row[j] = Math.max(row[j]!, row[j - 1]!, saved[k - 1]![i]! + (sums[j]! - sums[i]!) ** 2 / (j - i));
        saved.push(row);
      }
      return saved;
    };
    const random = createRandom(7);
    // A bell, one with a few large weights, and one that leans to a side.
    const draws = [() => random.normal(), () => random.normal() ** 5, () => random.normal() + 0.7];
    for (const draw of draws) {
      for (const [K, kappa] of [
        [1, 100],
        [3, 800],
        [6, 150],
        [6, 800],
      ] as const) {
        // prettier-ignore
        const v = Float32Array.from({ length: 800 }, draw);
        const sides = [1, -1].map((sign) => [...v].filter((x) => x * sign > 0).map(Math.abs).sort((a, b) => b - a)); // prettier-ignore
        const [plus, minus] = [exactOf(sides[0]!, K), exactOf(sides[1]!, K)];
        let most = 0;
        for (let k = 0; k <= K; k++)
          for (let j = 0; j <= Math.min(kappa, sides[0]!.length); j++)
            most = Math.max(most, plus[k]![j]! + minus[K - k]![Math.min(kappa - j, sides[1]!.length)]!);
        const distance = (cells: number): number => {
          const codes = nestedCodebook(v, K, kappa, cells);
          const gains = [...v].map((x) => Math.max(0, ...[...codes].map((c) => c * (2 * x - c))));
          return squared(v) - gains.sort((a, b) => b - a).slice(0, kappa).reduce((a, b) => a + b, 0); // prettier-ignore
        };
        const exact = squared(v) - most;
        expect(distance(1 << 20) / exact).toBeCloseTo(1, 6);
        // 200 points instead of 800.
        expect(distance(200 * K) / exact).toBeLessThan(1 + 1e-6);
      }
    }
  });

  it('merged to a twentieth of 40,000 weights: within a millionth of all points in the table', () => {
    const random = createRandom(9);
    for (const [K, kappa] of [
      [2, 40_000],
      [12, 40_000],
      [12, 2000],
    ] as const) {
      // prettier-ignore
      const v = Float32Array.from({ length: 40_000 }, () => random.normal() * (random.next() < 0.1 ? 3 : 1));
      const distance = (cells: number): number => {
        const codes = [...nestedCodebook(v, K, kappa, cells)];
        const gains = Float64Array.from(v, (x) => codes.reduce((most, c) => Math.max(most, c * (2 * x - c)), 0));
        return squared(v) - gains.sort().reverse().slice(0, kappa).reduce((a, b) => a + b, 0); // prettier-ignore
      };
      expect(distance(2000 * K) / distance(1 << 23)).toBeLessThan(1 + 1e-6);
    }
  });

  it('sorts and codes many weights as a sort and a search do', () => {
    const random = createRandom(8);
    const values = Float32Array.from({ length: 20_000 }, () => Math.abs(random.normal()) ** (1 + random.below(6)));
    expect(sortDescending(values.slice())).toEqual(values.slice().sort().reverse());
    const v = Float32Array.from({ length: 20_000 }, () => random.normal() ** 7);
    const compression = learnedCodebook(40, v.length, v.length);
    const theta = project(compression, v);
    const codes = [0, ...compression.codes()];
    for (let i = 0; i < v.length; i += 7) {
      const nearest = Math.min(...codes.map((c) => Math.abs(v[i]! - c)));
      expect(Math.abs(v[i]! - theta[i]!)).toBeLessThanOrEqual(nearest + 1e-6 * Math.abs(v[i]!));
    }
  });

  it('more weights than the table holds: merged neighbours cost next to nothing', () => {
    const random = createRandom(4);
    const v = Float32Array.from({ length: 40_000 }, () => random.normal());
    const compression = learnedCodebook(256, v.length, v.length);
    const theta = project(compression, v);
    expect(compression.codes().length).toBe(256);
    // High-resolution theory (Panter & Dite 1951): distortion of N optimal codes of a normal is (sqrt(3) pi / 2) / N^2.
    const distortion = squaredDistance(v, theta) / v.length;
    expect(distortion).toBeLessThan(((Math.sqrt(3) * Math.PI) / 2 / 257 ** 2) * 1.05);
  });

  it('all zeros, one value, more codes than values', () => {
    expect([...project(learnedCodebook(2, 2, 3), new Float32Array(3))]).toEqual([0, 0, 0]);
    expect([...project(learnedCodebook(3, 2, 3), Float32Array.of(2, 2, 2))]).toEqual([2, 2, 0]);
    expect([...project(learnedCodebook(9, 9, 2), Float32Array.of(-1, 3))]).toEqual([-1, 3]);
    expect(() => project(learnedCodebook(2, 1, 2), Float32Array.of(1, NaN))).toThrow(RangeError);
  });
});

describe('prune + quantize, fixed grids', () => {
  it('ternary: no scale and support is nearer', () => {
    fc.assert(
      fc.property(weights(1, 7), fc.integer({ min: 1, max: 7 }), (v, kappa) => {
        const compression = ternary(kappa, v.length);
        const theta = project(compression, v);
        expect(nonZeros(theta)).toBeLessThanOrEqual(kappa);
        expect(new Set([...theta].map(Math.abs).filter((x) => x > 0)).size).toBeLessThanOrEqual(1);
        // The best scale of a support is the mean magnitude on it.
        let best = squared(v);
        for (let mask = 1; mask < 2 ** v.length; mask++) {
          const chosen = [...v].filter((_, i) => (mask >> i) & 1).map(Math.abs);
          if (chosen.length > kappa) continue;
          const sum = chosen.reduce((a, b) => a + b, 0);
          best = Math.min(best, squared(v) - sum ** 2 / chosen.length);
        }
        expect(squaredDistance(v, theta)).toBeCloseTo(best, 5);
      }),
      { numRuns: 100 },
    );
  });

  it('int8: no support on the grids of the layers is nearer', () => {
    fc.assert(
      fc.property(weights(8), fc.integer({ min: 1, max: 8 }), (v, kappa) => {
        const theta = project(int8(kappa, [5, 3]), v);
        expect(nonZeros(theta)).toBeLessThanOrEqual(kappa);
        const steps = [int8Step(v.subarray(0, 5)), int8Step(v.subarray(5))];
        const stepOf = (i: number) => steps[i < 5 ? 0 : 1]!;
        theta.forEach((x, i) => {
          const q = x === 0 ? 0 : x / stepOf(i);
          expect(Math.abs(q - Math.round(q))).toBeLessThan(1e-4);
          expect(Math.abs(Math.round(q))).toBeLessThanOrEqual(127);
        });
        const grid = (i: number) => Array.from({ length: 255 }, (_, q) => (q - 127) * stepOf(i));
        expect(squaredDistance(v, theta)).toBeCloseTo(bestOnCodes(v, grid, kappa), 6);
      }),
      { numRuns: 60 },
    );
  });
});
