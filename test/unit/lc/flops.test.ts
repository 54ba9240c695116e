import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { denseCost, flopsConstraint, flopsPenalty } from '../../../daemon/lc/flops.js';
import { greedyKnapsack, knapsack } from '../../../daemon/lc/projections/knapsack.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { bestSupport, has, project, squared, squaredDistance, subsets, weights } from './oracles.js';

fc.configureGlobal({ seed: 20180618 });

const items = fc.array(fc.tuple(fc.double({ min: 0, max: 5, noNaN: true }), fc.integer({ min: 1, max: 12 })), {
  minLength: 1,
  maxLength: 10,
});

function bestValue(values: Float64Array, costs: Float64Array, budget: number): number {
  let best = 0;
  for (const mask of subsets(values.length)) {
    const cost = costs.reduce((sum, c, i) => (has(mask, i) ? sum + c : sum), 0);
    if (cost <= budget)
      best = Math.max(
        best,
        values.reduce((sum, x, i) => (has(mask, i) ? sum + x : sum), 0),
      );
  }
  return best;
}

describe('knapsack', () => {
  it('exact equals brute force; greedy stays within its own gap and its budget', () => {
    fc.assert(
      fc.property(items, fc.nat(60), fc.constantFrom(1, 2, 50), (list, budget, unit) => {
        const values = Float64Array.from(list, ([value]) => value);
        const costs = Float64Array.from(list, ([, cost]) => cost * unit);
        const best = bestValue(values, costs, budget);
        const exact = knapsack(values, costs, budget);
        const greedy = greedyKnapsack(values, costs, budget);
        expect(exact.value).toBeCloseTo(best, 10);
        expect(exact.gap).toBe(0);
        expect(greedy.value + greedy.gap).toBeGreaterThanOrEqual(best - 1e-10);
        for (const { taken, value } of [exact, greedy]) {
          expect(costs.reduce((sum, c, i) => sum + c * taken[i]!, 0)).toBeLessThanOrEqual(budget);
          expect(values.reduce((sum, x, i) => sum + x * taken[i]!, 0)).toBeCloseTo(value, 10);
        }
      }),
    );
  });

  it('uses the greedy fill if the table would be too large, and returns its error bound', () => {
    const random = createRandom(5);
    const values = Float64Array.from({ length: 3000 }, () => random.next());
    const costs = Float64Array.from({ length: 3000 }, () => 1 + random.below(100_000));
    const { value, gap } = knapsack(values, costs, 10_000_000);
    expect(gap).toBeGreaterThan(0);
    expect(gap).toBeLessThan(1e-3 * value);
  });
});

describe('FLOPs constraint', () => {
  const layers = [
    { size: 4, cost: 6 },
    { size: 5, cost: 2 },
    { size: 1, cost: 0 },
  ];

  it('small: no support within the budget is nearer, and free weights stay', () => {
    fc.assert(
      fc.property(weights(10), fc.nat(36), (v, budget) => {
        const compression = flopsConstraint(budget, layers);
        const theta = project(compression, v);
        const cost = (mask: number) =>
          [6, 6, 6, 6, 2, 2, 2, 2, 2, 0].reduce((s, c, i) => (has(mask, i) ? s + c : s), 0);
        expect(squaredDistance(v, theta)).toBeCloseTo(
          bestSupport(v, (mask) => cost(mask) <= budget),
          12,
        );
        expect(compression.cost(theta)).toBeLessThanOrEqual(budget);
        expect(theta[9]).toBe(v[9]);
      }),
      { numRuns: 100 },
    );
  });

  it('large: within the budget, equal to a sorted greedy fill, gap below the first weight left out', () => {
    const random = createRandom(7);
    const large = [
      { size: 3000, cost: 1152 },
      { size: 5000, cost: 128 },
      { size: 2000, cost: 2 },
    ];
    const costOf = large.flatMap(({ size, cost }) => new Array<number>(size).fill(cost));
    // Multiples of 1/64: many ties.
    const v = Float32Array.from({ length: 10_000 }, () => Math.round(random.normal() * 64) / 64);
    for (const share of [0.01, 0.1, 0.5, 0.9, 1]) {
      const budget = Math.floor(share * denseCost(large));
      const compression = flopsConstraint(budget, large);
      const theta = project(compression, v);
      expect(compression.cost(theta)).toBeLessThanOrEqual(budget);

      const order = [...v.keys()].sort(
        (i, j) =>
          Math.fround(Math.abs(v[j]!) / Math.sqrt(costOf[j]!)) - Math.fround(Math.abs(v[i]!) / Math.sqrt(costOf[i]!)) ||
          i - j,
      );
      const greedy = new Float32Array(v.length);
      let left = budget;
      let next: number | undefined;
      for (const i of order) {
        if (costOf[i]! > left) {
          next = i;
          break;
        }
        greedy[i] = v[i]!;
        left -= costOf[i]!;
      }
      expect(squaredDistance(theta, greedy)).toBe(0);
      expect(compression.gap!()).toBeLessThanOrEqual(next === undefined ? 0 : v[next]! ** 2 * (1 + 1e-6));
      // The bound is that of the fractional relaxation, so it covers the optimum.
      const fractional = next === undefined ? 0 : (left * v[next]! ** 2) / costOf[next]!;
      expect(compression.gap!()).toBeCloseTo(fractional, 5);
      expect(squared(theta)).toBeLessThanOrEqual(squared(v));
    }
  });
});

describe('FLOPs penalty', () => {
  it('no support has a lower alpha * FLOPs + mu/2 ||v - theta||^2', () => {
    const layers = [
      { size: 3, cost: 5 },
      { size: 4, cost: 1 },
    ];
    const costs = [5, 5, 5, 1, 1, 1, 1];
    fc.assert(
      fc.property(weights(7), fc.double({ min: 0.01, max: 2, noNaN: true }), (v, alpha) => {
        const mu = 1.7;
        const theta = project(flopsPenalty(alpha, layers), v, mu);
        const objective = (t: ArrayLike<number>) =>
          alpha * costs.reduce((s, c, i) => (t[i] === 0 ? s : s + c), 0) + (mu / 2) * squaredDistance(v, t);
        for (const mask of subsets(7)) {
          expect(objective(theta)).toBeLessThanOrEqual(objective([...v].map((x, i) => (has(mask, i) ? x : 0))) + 1e-12);
        }
      }),
      { numRuns: 50 },
    );
  });
});
