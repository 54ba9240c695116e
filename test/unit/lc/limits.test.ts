import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flopsConstraint } from '../../../daemon/lc/flops.js';
import { l0Constraint } from '../../../daemon/lc/projections/l0.js';
import { withLimits } from '../../../daemon/lc/limits.js';
import { bestSupport, has, nonZeros, project, squaredDistance, weights } from './oracles.js';

fc.configureGlobal({ seed: 20180618 });

const sizes = [4, 3, 3];
const layerOf = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2];
/** Per layer a floor and a cap, floor <= cap. */
const limitsOf = fc
  .tuple(...sizes.map((size) => fc.tuple(fc.nat(size), fc.nat(size))))
  .map((pairs) =>
    pairs.map(([a, b], i) => ({ name: `${i}`, size: sizes[i]!, floor: Math.min(a, b), cap: Math.max(a, b) })),
  );
const countPerLayer = (mask: number): number[] =>
  sizes.map((_, layer) => layerOf.filter((l, i) => l === layer && has(mask, i)).length);
/** Non-zero everywhere, so that "keeps a weight" and "is not zero" agree. */
const nonZero = weights(10).map((v) => v.map((x, i) => (x === 0 ? 1e-4 * (i + 1) : x)));

const l0 = (kappa: number) => l0Constraint(kappa, 10);

describe('floors and caps', () => {
  it('under a global kappa: no support within them is nearer', () => {
    fc.assert(
      fc.property(nonZero, limitsOf, fc.nat(10), (v, limits, extra) => {
        const floors = limits.reduce((sum, { floor }) => sum + floor, 0);
        const kappa = Math.min(10, floors + extra);
        const theta = project(withLimits(limits, kappa, l0, ''), v);
        const within = (counts: number[]) =>
          counts.every((count, i) => count >= limits[i]!.floor && count <= limits[i]!.cap) &&
          counts.reduce((a, b) => a + b) <= kappa;
        const mask = theta.reduce((bits, x, i) => bits | (x === 0 ? 0 : 1 << i), 0);
        expect(within(countPerLayer(mask))).toBe(true);
        expect(squaredDistance(v, theta)).toBeCloseTo(
          bestSupport(v, (support) => within(countPerLayer(support))),
          12,
        );
        const inPlace = v.slice();
        withLimits(limits, kappa, l0, '').project(inPlace, 1, inPlace);
        expect(inPlace).toEqual(theta);
      }),
      { numRuns: 150 },
    );
  });

  it('under a FLOPs budget: no support within them is nearer', () => {
    const costs = [3, 5, 2];
    fc.assert(
      fc.property(nonZero, limitsOf, fc.nat(25), (v, limits, extra) => {
        const forced = limits.reduce((sum, { floor }, i) => sum + floor * costs[i]!, 0);
        const budget = forced + extra;
        const layers = sizes.map((size, i) => ({ size, cost: costs[i]! }));
        const theta = project(
          withLimits(
            limits.map((limit, i) => ({ ...limit, cost: costs[i]! })),
            budget,
            (left) => flopsConstraint(left, layers),
            '',
          ),
          v,
        );
        const within = (counts: number[]) =>
          counts.every((count, i) => count >= limits[i]!.floor && count <= limits[i]!.cap) &&
          counts.reduce((sum, count, i) => sum + count * costs[i]!, 0) <= budget;
        expect(squaredDistance(v, theta)).toBeCloseTo(
          bestSupport(v, (support) => within(countPerLayer(support))),
          12,
        );
      }),
      { numRuns: 150 },
    );
  });

  it('a floor takes no budget for weights that are 0: no support within what there is to keep is nearer', () => {
    const sparse = fc.tuple(nonZero, fc.nat(1023)).map(([v, mask]) => v.map((x, i) => (has(mask, i) ? x : 0)));
    const costs = [3, 1, 2];
    const bits = (v: Float32Array) => v.reduce((mask, x, i) => mask | (x === 0 ? 0 : 1 << i), 0);
    fc.assert(
      fc.property(sparse, limitsOf, fc.nat(20), fc.boolean(), (v, limits, extra, flops) => {
        const cost = flops ? costs : [1, 1, 1];
        const budget = limits.reduce((sum, { floor }, i) => sum + floor * cost[i]!, 0) + extra;
        const theta = project(
          withLimits(
            limits.map((limit, i) => ({ ...limit, cost: cost[i]! })),
            budget,
            (left) =>
              flops
                ? flopsConstraint(
                    left,
                    sizes.map((size, i) => ({ size, cost: costs[i]! })),
                  )
                : l0(left),
            '',
          ),
          v,
        );
        const there = countPerLayer(bits(v));
        const within = (support: number) => {
          const counts = countPerLayer(support & bits(v));
          return (
            counts.every((n, i) => n >= Math.min(limits[i]!.floor, there[i]!) && n <= limits[i]!.cap) &&
            counts.reduce((sum, n, i) => sum + n * cost[i]!, 0) <= budget
          );
        };
        expect(within(bits(theta))).toBe(true);
        expect(squaredDistance(v, theta)).toBeCloseTo(bestSupport(v, within), 12);
      }),
      { numRuns: 150 },
    );
  });

  it('a floor saves a layer of small weights', () => {
    const v = Float32Array.of(9, 8, 7, 6, 0.1, 0.2, 0.3);
    const limits = [
      { name: 'large', size: 4, floor: 0, cap: 4 },
      { name: 'small', size: 3, floor: 1, cap: 3 },
    ];
    const theta = project(
      withLimits(limits, 3, (left) => l0Constraint(left, 7), ''),
      v,
    );
    expect([...theta]).toEqual([9, 8, 0, 0, 0, 0, Math.fround(0.3)]);
    expect(nonZeros(theta)).toBe(3);
  });
});
