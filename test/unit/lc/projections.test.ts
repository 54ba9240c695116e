import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Compression } from '../../../daemon/lc/compression.js';
import { l0Constraint, l0Penalty } from '../../../daemon/lc/projections/l0.js';
import { l1Constraint, l1Penalty, l1Threshold } from '../../../daemon/lc/projections/l1.js';
import { l2Constraint, l2Penalty } from '../../../daemon/lc/projections/l2.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { bestSupport, nonZeros, project, squared, squaredDistance, subsets, has, weights } from './oracles.js';

fc.configureGlobal({ seed: 20180618 });

const l1 = (v: ArrayLike<number>): number => Array.from(v).reduce((sum, x) => sum + Math.abs(x), 0);
const kappas = fc.double({ min: 0.001, max: 12, noNaN: true });
const alphas = fc.double({ min: 1e-3, max: 3, noNaN: true });
const mus = fc.double({ min: 1e-2, max: 10, noNaN: true });

describe('l0', () => {
  it('constraint: no support of at most kappa is nearer', () => {
    fc.assert(
      fc.property(weights(1, 9), fc.nat(10), (v, kappa) => {
        const theta = project(l0Constraint(kappa, v.length), v);
        expect(nonZeros(theta)).toBeLessThanOrEqual(kappa);
        const best = bestSupport(v, (mask) => [...v].filter((_, i) => has(mask, i)).length <= kappa);
        expect(squaredDistance(v, theta)).toBeCloseTo(best, 12);
      }),
    );
  });

  it('penalty: no support has a lower alpha ||theta||_0 + mu/2 ||v - theta||^2', () => {
    fc.assert(
      fc.property(weights(1, 9), alphas, mus, (v, alpha, mu) => {
        const objective = (theta: ArrayLike<number>) => alpha * nonZeros(theta) + (mu / 2) * squaredDistance(v, theta);
        const theta = project(l0Penalty(alpha), v, mu);
        for (const mask of subsets(v.length)) {
          expect(objective(theta)).toBeLessThanOrEqual(objective([...v].map((x, i) => (has(mask, i) ? x : 0))) + 1e-12);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('l1', () => {
  /** ||soft(v, tau)||_1 = kappa by bisection in float64. */
  function tauByBisection(v: Float32Array, kappa: number): number {
    let low = 0;
    let high = Math.max(...v.map(Math.abs));
    for (let i = 0; i < 200; i++) {
      const middle = (low + high) / 2;
      if ([...v].reduce((sum, x) => sum + Math.max(0, Math.abs(x) - middle), 0) > kappa) low = middle;
      else high = middle;
    }
    return high;
  }

  it('tau equals bisection', () => {
    fc.assert(
      fc.property(weights(1, 60), kappas, (v, kappa) => {
        const tau = l1Threshold(v, kappa);
        if (l1(v) <= kappa) expect(tau).toBe(0);
        else expect(tau).toBeCloseTo(tauByBisection(v, kappa), 10);
      }),
      { numRuns: 200 },
    );
  });

  it('tau equals bisection on 20,000 normal weights for radii over four decades', () => {
    const random = createRandom(3);
    const v = Float32Array.from({ length: 20_000 }, () => random.normal() * 0.05);
    for (const kappa of [0.01, 1, 50, 790]) expect(l1Threshold(v, kappa)).toBeCloseTo(tauByBisection(v, kappa), 12);
  });

  it.each([
    [[3, -3, 3], 0, 3],
    [[1, 1, 1, 1], 2, 0.5],
    [[5, 1], 3, 2],
    [[5, 1], 6, 0],
    [[0, 0], 0, 0],
  ])('%j, kappa %d: tau %d', (v, kappa, tau) => {
    expect(l1Threshold(Float32Array.from(v), kappa)).toBe(tau);
  });

  it('constraint: on the ball, and no point of a random segment of the ball is nearer', () => {
    fc.assert(
      fc.property(weights(2, 12), kappas, fc.integer(), (v, kappa, seed) => {
        const theta = project(l1Constraint(kappa), v);
        expect(l1(theta)).toBeLessThanOrEqual(kappa * (1 + 1e-6));
        const random = createRandom(seed);
        for (let k = 0; k < 50; k++) {
          const point = [...v].map(() => random.normal());
          const scale = (random.next() * kappa) / l1(point);
          expect(squaredDistance(v, theta)).toBeLessThanOrEqual(
            squaredDistance(
              v,
              point.map((x) => x * scale),
            ) + 1e-6,
          );
          // Points near theta, too, where a small error would show.
          const near = [...theta].map((x) => x + random.normal() * 1e-2);
          const shrink = Math.min(1, kappa / l1(near));
          expect(squaredDistance(v, theta)).toBeLessThanOrEqual(
            squaredDistance(
              v,
              near.map((x) => x * shrink),
            ) + 1e-6,
          );
        }
      }),
    );
  });

  it('penalty: each coordinate minimises alpha |t| + mu/2 (v - t)^2', () => {
    fc.assert(
      fc.property(weights(1, 5), alphas, mus, (v, alpha, mu) => {
        const theta = project(l1Penalty(alpha), v, mu);
        theta.forEach((t, i) => {
          const cost = (x: number) => alpha * Math.abs(x) + (mu / 2) * (v[i]! - x) ** 2;
          let least = Infinity;
          for (let x = -4; x <= 4; x += 0.01) least = Math.min(least, cost(x));
          expect(cost(t)).toBeLessThanOrEqual(least + 1e-6);
        });
      }),
      { numRuns: 40 },
    );
  });
});

describe('l2', () => {
  it('constraint: the nearest point of the ball', () => {
    fc.assert(
      fc.property(weights(1, 8), kappas, (v, kappa) => {
        const theta = project(l2Constraint(kappa), v);
        expect(squared(theta)).toBeLessThanOrEqual(kappa * (1 + 1e-6));
        // The distance from a point to a ball around 0.
        const expected = Math.max(0, Math.sqrt(squared(v)) - Math.sqrt(kappa)) ** 2;
        expect(squaredDistance(v, theta)).toBeCloseTo(expected, 5);
      }),
    );
  });

  it('penalty: the gradient of alpha ||t||^2 + mu/2 ||v - t||^2 vanishes', () => {
    fc.assert(
      fc.property(weights(1, 8), alphas, mus, (v, alpha, mu) => {
        project(l2Penalty(alpha), v, mu).forEach((t, i) => {
          expect(2 * alpha * t - mu * (v[i]! - t)).toBeCloseTo(0, 4);
        });
      }),
    );
  });
});

describe('every C step', () => {
  const all: [string, Compression][] = [
    ['l0 constraint', l0Constraint(4, 8)],
    ['l1 constraint', l1Constraint(2.5)],
    ['l2 constraint', l2Constraint(1.5)],
    ['l0 penalty', l0Penalty(0.3)],
    ['l1 penalty', l1Penalty(0.3)],
    ['l2 penalty', l2Penalty(0.3)],
  ];

  it.each(all)('%s: in place is the same, v is unchanged otherwise, the cost does not rise', (_, compression) => {
    fc.assert(
      fc.property(weights(8), mus, (v, mu) => {
        const before = v.slice();
        const theta = project(compression, v, mu);
        expect(v).toEqual(before);
        expect(compression.cost(theta)).toBeLessThanOrEqual(compression.cost(v));
        compression.project(v, mu, v);
        expect(v).toEqual(theta);
      }),
    );
  });

  it.each(all.slice(0, 3))('%s: idempotent', (_, compression) => {
    fc.assert(
      fc.property(weights(8), (v) => {
        const once = project(compression, v);
        expect(squaredDistance(project(compression, once), once)).toBeLessThan(1e-10);
      }),
    );
  });

  it.each(all.slice(3))('%s: refuses mu <= 0, where it is undefined', (_, compression) => {
    for (const mu of [0, -1, NaN, Infinity])
      expect(() => project(compression, Float32Array.of(1), mu)).toThrow(RangeError);
  });

  it.each(all)('%s: refuses NaN and infinities and names the position', (_, compression) => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      expect(() => project(compression, Float32Array.of(1, 2, bad, 1, 1, 1, 1, 1))).toThrow(/weight 2 of 8/);
    }
  });

  it('kappa >= n gives v and kappa = 0 gives 0', () => {
    const v = Float32Array.of(1, -2, 0.5);
    expect(project(l0Constraint(3, 3), v)).toEqual(v);
    expect(project(l0Constraint(9, 3), v)).toEqual(v);
    expect(project(l0Constraint(0, 3), v)).toEqual(new Float32Array(3));
    expect(project(l1Constraint(3.5), v)).toEqual(v);
    expect(nonZeros(project(l1Constraint(0), v))).toBe(0);
  });
});
