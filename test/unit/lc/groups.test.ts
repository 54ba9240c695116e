import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LayerView } from '../../../daemon/lc/layerView.js';
import { groupUnits, type Groups } from '../../../daemon/lc/projections/groups.js';
import { groupConstraint, unitConstraint, unitPenalty } from '../../../daemon/lc/projections/unitBudgets.js';
import { UnitCosts } from '../../../daemon/lc/projections/unitCosts.js';
import { has, project, squaredDistance, subsets, weights } from './oracles.js';

fc.configureGlobal({ seed: 20180618 });

/** Dense [2, 3] with bias, conv [1, 1, 3, 2] with bias, gamma and beta, and the output layer [2, 2]. */
const layers: LayerView[] = [
  { name: 'dense', size: 6, shape: [2, 3], units: 3, flopsPerWeight: 2, unitVectors: 1 },
  { name: 'conv', size: 6, shape: [1, 1, 3, 2], units: 2, flopsPerWeight: 32, unitVectors: 3 },
  { name: 'out', size: 4, shape: [2, 2], units: 2, flopsPerWeight: 2, unitVectors: 1, groups: [-1, -1] },
];
/** FLOPs of the output layer, which stay. */
const OUTPUT = 8;
/** The group of each position of the view, written out by hand; -1 belongs to no group. */
const groupOf = [0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 4, 3, 4, 3, 4, 3, 4, 3, 4, 3, 4, -1, -1, -1, -1, -1, -1];

const keepOnly = (v: Float32Array, mask: number): Float32Array =>
  v.map((x, i) => (groupOf[i] === -1 || has(mask, groupOf[i]!) ? x : 0));

function best(v: Float32Array, objective: (mask: number, distance: number) => number): number {
  let least = Infinity;
  for (const mask of subsets(5)) least = Math.min(least, objective(mask, squaredDistance(v, keepOnly(v, mask))));
  return least;
}
/** The groups that are not 0: the others cost nothing, and no floor keeps them. */
const there = (v: Float32Array): number =>
  groupOf.reduce((mask, g, i) => (g >= 0 && v[i] !== 0 ? mask | (1 << g) : mask), 0);
const sparse = fc.tuple(weights(27), fc.nat(31)).map(([v, mask]) => keepOnly(v, mask));
/** What each group adds to the layers that stay. */
function costOfEach(groups: Groups, quantity: 'weights' | 'FLOPs'): number[] {
  const costs = new UnitCosts(groups, quantity);
  const none = costs.sizes.map(() => 0);
  return Array.from(costs.kindOf, (kind) => costs.cost(none.with(kind, 1)) - costs.cost(none));
}
const bits = (mask: number): number => [0, 1, 2, 3, 4].filter((g) => has(mask, g)).length;

describe('neurons and filters as groups', () => {
  const groups = groupUnits(layers);

  it('counts groups, their weights and their FLOPs', () => {
    expect(groups.count).toBe(5);
    expect(costOfEach(groups, 'weights')).toEqual([2, 2, 2, 3, 3]);
    expect(costOfEach(groups, 'FLOPs')).toEqual([4, 4, 4, 96, 96]);
  });

  it('constraint: no K groups are nearer, and what is fixed stays', () => {
    fc.assert(
      fc.property(weights(27), fc.nat(6), (v, K) => {
        const compression = groupConstraint(groups, K);
        const theta = project(compression, v);
        expect(squaredDistance(v, theta)).toBeCloseTo(
          best(v, (mask, d) => (bits(mask) <= K ? d : Infinity)),
          10,
        );
        expect(theta.slice(21)).toEqual(v.slice(21));
        expect(compression.cost(theta)).toBeLessThanOrEqual(K);
        expect(project(compression, theta)).toEqual(theta);
      }),
    );
  });

  it('constraint with floors and caps per layer: no choice within them is nearer', () => {
    fc.assert(
      fc.property(sparse, fc.nat(3), fc.nat(3), fc.nat(2), fc.nat(2), fc.nat(5), (v, a, b, c, d, extra) => {
        const limits = [
          { floor: Math.min(a, b), cap: Math.max(a, b) },
          { floor: Math.min(c, d), cap: Math.max(c, d) },
        ];
        const K = limits[0]!.floor + limits[1]!.floor + extra;
        const most = [bits(there(v) & 7), bits(there(v) >> 3)];
        const within = (support: number): boolean => {
          const mask = support & there(v);
          const counts = [bits(mask & 7), bits(mask >> 3)];
          const enough = (n: number, i: number) => n >= Math.min(limits[i]!.floor, most[i]!);
          return bits(mask) <= K && counts.every((n, i) => enough(n, i) && n <= limits[i]!.cap);
        };
        const theta = project(groupConstraint(groups, K, limits), v);
        expect(squaredDistance(v, theta)).toBeCloseTo(
          best(v, (mask, d) => (within(mask) ? d : Infinity)),
          10,
        );
      }),
    );
  });

  it('constraint with costs: no choice within the budget is nearer', () => {
    fc.assert(
      fc.property(weights(27), fc.nat(210), (v, budget) => {
        const compression = unitConstraint(groups, budget + OUTPUT, { quantity: 'FLOPs' });
        const theta = project(compression, v);
        const cost = (mask: number) => [4, 4, 4, 96, 96].reduce((s, c, g) => (has(mask, g) ? s + c : s), 0);
        expect(squaredDistance(v, theta)).toBeCloseTo(
          best(v, (mask, d) => (cost(mask) <= budget ? d : Infinity)),
          10,
        );
        expect(compression.cost(theta)).toBeLessThanOrEqual(budget + OUTPUT);
        expect(compression.gap!()).toBe(0);
      }),
    );
  });

  it('constraint with costs and floors: no choice within both is nearer', () => {
    fc.assert(
      fc.property(sparse, fc.nat(210), fc.nat(2), fc.nat(2), (v, budget, floorA, floorB) => {
        const limits = [{ floor: floorA, cap: 3 }, { floor: floorB, cap: 2 }]; // prettier-ignore
        const theta = project(unitConstraint(groups, budget + OUTPUT, { quantity: 'FLOPs', limits }), v);
        const [a, b] = [Math.min(floorA, bits(there(v) & 7)), Math.min(floorB, bits(there(v) >> 3))];
        const cost = (mask: number) => [4, 4, 4, 96, 96].reduce((s, c, g) => (has(mask, g) ? s + c : s), 0);
        const floored = 4 * a + 96 * b <= budget;
        const within = (support: number) => {
          const mask = support & there(v);
          return cost(mask) <= budget && (!floored || (bits(mask & 7) >= a && bits(mask >> 3) >= b));
        };
        expect(squaredDistance(v, theta)).toBeCloseTo(
          best(v, (mask, d) => (within(mask) ? d : Infinity)),
          10,
        );
      }),
    );
  });

  it.each([
    ['neurons', [1, 1, 1, 1, 1], 0],
    ['FLOPs', [4, 4, 4, 96, 96], 8],
  ] as const)('penalty on %s: no choice has a lower objective', (quantity, costs, fixed) => {
    fc.assert(
      fc.property(weights(27), fc.double({ min: 0.0001, max: 2, noNaN: true }), (v, alpha) => {
        const mu = 0.8;
        const objective = (mask: number, distance: number) =>
          alpha * costs.reduce((s: number, c, g) => (has(mask, g) ? s + c : s), fixed) + (mu / 2) * distance;
        const compression = unitPenalty(groups, alpha, { quantity });
        const theta = project(compression, v, mu);
        expect(alpha * compression.cost(theta) + (mu / 2) * squaredDistance(v, theta)).toBeCloseTo(
          best(v, objective),
          10,
        );
      }),
    );
  });

  it('tied layers stand or fall together', () => {
    const tied = groupUnits([
      { name: 'a', size: 4, shape: [2, 2], units: 2, flopsPerWeight: 2, groups: [7, 8] },
      { name: 'b', size: 2, shape: [1, 2], units: 2, flopsPerWeight: 2, groups: [7, 8] },
    ]);
    expect(tied.count).toBe(2);
    // Unit 0 leads in a, unit 1 in both together.
    const theta = project(groupConstraint(tied, 1), Float32Array.of(3, 2, 0, 0, 0, 3));
    expect([...theta]).toEqual([0, 2, 0, 0, 0, 3]);
  });

  it('layers may share some units only, as the shortcut that pads channels does', () => {
    // Units 0 and 1 of the narrow layer are units 1 and 2 of the wide one; the last unit of that is the output's.
    const padded = groupUnits([
      { name: 'narrow', size: 2, shape: [1, 2], units: 2, flopsPerWeight: 2, groups: [5, 9] },
      { name: 'wide', size: 4, shape: [1, 4], units: 4, flopsPerWeight: 4, unitVectors: 1, groups: [3, 5, 9, -1] },
      { name: 'other', size: 2, shape: [1, 2], units: 2, flopsPerWeight: 2 },
    ]);
    expect(padded.count).toBe(5);
    expect(costOfEach(padded, 'weights')).toEqual([2, 2, 1, 1, 1]);
    expect(costOfEach(padded, 'FLOPs')).toEqual([6, 6, 4, 2, 2]);
    expect(padded.classes).toEqual([
      { name: 'narrow', count: 3 },
      { name: 'other', count: 2 },
    ]);
    expect(Object.fromEntries(padded.classOfLayer)).toEqual({ narrow: 0, wide: 0, other: 1 });
    const theta = project(groupConstraint(padded, 2), Float32Array.of(1, 0, 2, 3, 4, 0.5, 0, 0, 0, 0.25, 3, 2));
    expect([...theta]).toEqual([1, 0, 0, 3, 4, 0.5, 0, 0, 0, 0.25, 0, 0]);
  });

  it('its support is whole groups: what is 0 by chance may be trained', () => {
    const kept = new Uint8Array(27);
    const theta = new Float32Array(27);
    theta[1] = 2;
    groupConstraint(groups, 1).support!(theta, kept);
    expect([...kept]).toEqual(groupOf.map((g) => Number(g === 1 || g === -1)));
  });

  it('units that are one with units that stay, stay; unknown units are refused', () => {
    const a: LayerView = { name: 'a', size: 4, shape: [2, 2], units: 2, flopsPerWeight: 2, groups: [-1, -1] };
    expect(groupUnits([a]).count).toBe(0);
    expect(() => groupUnits([{ name: 'a', size: 4, shape: [2, 2], flopsPerWeight: 2 }])).toThrow(/"a" is not known/);
    expect(() => groupUnits([{ name: 'a', size: 4, shape: [1, 4], units: 3, flopsPerWeight: 2 }])).toThrow(/3 units/);
  });

  it('a depthwise kernel [kh, kw, in, multiplier] has in * multiplier units', () => {
    const depthwise = groupUnits([
      { name: 'dw', size: 8, shape: [2, 2, 2, 1], units: 2, flopsPerWeight: 2, unitVectors: 1 },
    ]);
    const theta = project(groupConstraint(depthwise, 1), Float32Array.of(1, 2, 1, 2, 1, 2, 1, 2, 9, 1));
    expect([...theta]).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 9, 0]);
  });

  it('refuses a NaN', () => {
    expect(() => project(groupConstraint(groups, 1), new Float32Array(27).fill(NaN))).toThrow(RangeError);
  });
});
