/** Budgets of whole units whose cost is that of the network without the others, against every choice of units. */
import { describe, expect, it } from 'vitest';
import type { Compression } from '../../../daemon/lc/compression.js';
import { groupUnits } from '../../../daemon/lc/projections/groups.js';
import { unitConstraint, unitPenalty } from '../../../daemon/lc/projections/unitBudgets.js';
import { UnitCosts } from '../../../daemon/lc/projections/unitCosts.js';
import { createRandom, type Random } from '../../../daemon/lc/random.js';
import { has, nonZeros, project, subsets } from './oracles.js';
import { countedCost, lengthOf, ownNorms, unitNetwork, type UnitNetwork } from './unitNetworks.js';

const QUANTITIES = ['weights', 'FLOPs'] as const;
type Quantity = (typeof QUANTITIES)[number];

const weightsOf = (network: UnitNetwork, random: Random): Float32Array =>
  Float32Array.from({ length: lengthOf(network) }, () => random.normal());

/** The groups whose own weights are not 0. */
function keptOf(network: UnitNetwork, theta: Float32Array): Set<number> {
  const norms = ownNorms(network, theta);
  return new Set([...norms.keys()].filter((group) => norms[group]! > 0));
}

const costOf = (network: UnitNetwork, kept: ReadonlySet<number>, quantity: Quantity): number =>
  countedCost(network, (group) => kept.has(group), quantity === 'FLOPs');

/** By tensor, how many of its units are kept. */
function countsOf({ widths }: UnitNetwork, kept: ReadonlySet<number>): number[] {
  let first = 0;
  return widths.map((n) => {
    first += n;
    return [...kept].filter((group) => group >= first - n && group < first).length;
  });
}

const valueOf = (norms: Float64Array, kept: Iterable<number>): number =>
  [...kept].reduce((sum, g) => sum + norms[g]!, 0);

/** The best merit of all choices that `allowed` accepts. */
function bestOf(network: UnitNetwork, merit: (kept: ReadonlySet<number>) => number): number {
  const total = network.widths.reduce((sum, n) => sum + n, 0);
  let best = -Infinity;
  for (const mask of subsets(total))
    best = Math.max(best, merit(new Set([...Array(total).keys()].filter((g) => has(mask, g)))));
  return best;
}

/** Kernels of theta: without the vectors of units. */
function kernelsOf({ views }: UnitNetwork, theta: Float32Array): Float32Array[] {
  let at = 0;
  return views.map(({ size, units = 1, unitVectors = 0 }) => {
    const kernel = theta.subarray(at, at + size);
    at += size + unitVectors * units;
    return kernel;
  });
}

function draw(seed: number): { network: UnitNetwork; v: Float32Array; quantity: Quantity; random: Random } {
  const random = createRandom(seed);
  const widths = Array.from({ length: 1 + random.below(3) }, () => 1 + random.below(3));
  const network = unitNetwork(widths, random.below(4), random);
  return { network, v: weightsOf(network, random), quantity: QUANTITIES[random.below(2)]!, random };
}

describe('the cost of units', () => {
  it('is that of the kernels in which only these are left, weight by weight', () => {
    for (let seed = 0; seed < 60; seed++) {
      const { network, quantity, random, v } = draw(seed);
      const costs = new UnitCosts(groupUnits(network.views), quantity);
      const total = network.widths.reduce((sum, n) => sum + n, 0);
      const kept = new Set([...Array(total).keys()].filter(() => random.below(2) === 0));
      const counts = costs.sizes.map((_, kind) => [...kept].filter((g) => costs.kindOf[g] === kind).length);
      expect(costs.cost(counts)).toBe(costOf(network, kept, quantity));
      const compression = unitConstraint(groupUnits(network.views), Infinity, { quantity });
      expect(project(compression, v)).toEqual(v);
    }
  });

  it('counts a unit once where a kernel makes and reads it, and its filter in a depthwise kernel', () => {
    const group = [0, 1, 2];
    const square = { name: 'a', size: 9, shape: [3, 3], units: 3, groups: group, flopsPerWeight: 2, axes: [{ axis: 0, groups: group }, { axis: 1, groups: group }] }; // prettier-ignore
    const depthwise = { name: 'd', size: 6, shape: [2, 3, 1], units: 3, groups: group, flopsPerWeight: 5, axes: [{ axis: 1, groups: group }] }; // prettier-ignore
    const costs = new UnitCosts(groupUnits([square, depthwise]), 'FLOPs');
    expect([0, 1, 2, 3].map((n) => costs.cost([n]))).toEqual([0, 2 + 10, 8 + 20, 18 + 30]);
  });
});

describe('a constraint', () => {
  it('keeps the best units that fit; what reads the others is 0 too', () => {
    for (let seed = 100; seed < 200; seed++) {
      const { network, v, quantity, random } = draw(seed);
      const all = costOf(network, new Set(ownNorms(network, v).keys()), quantity);
      const budget = Math.floor(random.next() * all);
      const compression = unitConstraint(groupUnits(network.views), budget, { quantity });
      const theta = project(compression, v);
      const kept = keptOf(network, theta);
      const norms = ownNorms(network, v);
      const least = costOf(network, new Set(), quantity);
      const merit = (units: ReadonlySet<number>) => (costOf(network, units, quantity) <= budget ? valueOf(norms, units) : -Infinity); // prettier-ignore
      expect(valueOf(norms, kept), `seed ${seed}`).toBeCloseTo(budget < least ? 0 : bestOf(network, merit), 9);
      expect(compression.gap!()).toBe(0);
      // The non-zeros are the kernels of the network with these units only.
      const counted = kernelsOf(network, theta).reduce((sum, kernel, k) => sum + nonZeros(kernel) * (quantity === 'FLOPs' ? network.views[k]!.flopsPerWeight : 1), 0); // prettier-ignore
      expect(counted).toBe(costOf(network, kept, quantity));
      expect(compression.cost(theta)).toBe(counted);
      if (budget >= least) expect(counted).toBeLessThanOrEqual(budget);
      expect([...theta.keys()].filter((i) => theta[i] !== 0 && theta[i] !== v[i])).toEqual([]);
      expect(project(compression, theta)).toEqual(theta);
      const support = new Uint8Array(theta.length);
      compression.support!(theta, support);
      expect([...support]).toEqual(Array.from(theta, (x) => Number(x !== 0)));
    }
  });

  it('with floors: the best of those that keep them', () => {
    for (let seed = 300; seed < 380; seed++) {
      const { network, v, quantity, random } = draw(seed);
      const norms = ownNorms(network, v);
      const floors = network.widths.map((n) => random.below(n + 1));
      const all = costOf(network, new Set(norms.keys()), quantity);
      const budget = Math.floor((0.4 + 0.6 * random.next()) * all);
      const groups = groupUnits(network.views);
      const limits = groups.classes.map(({ name, count: cap }) => ({ floor: floors[network.kernels.find(({ view }) => view.name === name)!.to!]!, cap })); // prettier-ignore
      const theta = project(unitConstraint(groups, budget, { quantity, limits }), v);
      const within = (kept: ReadonlySet<number>, floored: boolean) => costOf(network, kept, quantity) <= budget && (!floored || countsOf(network, kept).every((n, i) => n >= floors[i]!)); // prettier-ignore
      const merit = (floored: boolean) => (kept: ReadonlySet<number>) => (within(kept, floored) ? valueOf(norms, kept) : -Infinity); // prettier-ignore
      const best = bestOf(network, merit(true));
      // Floors that exceed the budget are left out.
      const expected = best > -Infinity ? best : Math.max(0, bestOf(network, merit(false)));
      expect(valueOf(norms, keptOf(network, theta)), `seed ${seed}`).toBeCloseTo(expected, 9);
    }
  });

  it('with multiples: the best of those that keep a multiple of each tensor, or all of it', () => {
    for (let seed = 400; seed < 500; seed++) {
      const random = createRandom(seed);
      const network = unitNetwork([2 + random.below(4), 1 + random.below(4)], random.below(3), random);
      const v = weightsOf(network, random);
      const norms = ownNorms(network, v);
      const roundTo = 2 + random.below(2);
      const budget = Math.floor(random.next() * costOf(network, new Set(norms.keys()), 'FLOPs'));
      const theta = project(unitConstraint(groupUnits(network.views), budget, { quantity: 'FLOPs', roundTo }), v);
      const kept = keptOf(network, theta);
      const rounded = (units: ReadonlySet<number>) => countsOf(network, units).every((n, i) => n % roundTo === 0 || n === network.widths[i]); // prettier-ignore
      const merit = (units: ReadonlySet<number>) => (rounded(units) && costOf(network, units, 'FLOPs') <= budget ? valueOf(norms, units) : -Infinity); // prettier-ignore
      expect(rounded(kept)).toBe(true);
      expect(valueOf(norms, kept), `seed ${seed}`).toBeCloseTo(Math.max(0, bestOf(network, merit)), 9);
    }
  });

  it('of a larger network: near the best, with a bound, and no further unit fits', () => {
    for (let seed = 600; seed < 608; seed++) {
      const random = createRandom(seed);
      const network = unitNetwork(new Array<number>(4).fill(16), 4, random);
      const v = weightsOf(network, random);
      const norms = ownNorms(network, v);
      const groups = groupUnits(network.views);
      const costs = new UnitCosts(groups, 'FLOPs');
      const budget = Math.floor((0.1 + 0.8 * random.next()) * costs.cost(costs.sizes));
      const compression = unitConstraint(groups, budget, { quantity: 'FLOPs' });
      const kept = keptOf(network, project(compression, v));
      const cost = costOf(network, kept, 'FLOPs');
      expect(cost).toBeLessThanOrEqual(budget);
      const counts = countsOf(network, kept);
      expect(costs.cost(counts)).toBe(cost);
      counts.forEach((n, tensor) => {
        if (n < 16) expect(costs.cost(counts.with(tensor, n + 1))).toBeGreaterThan(budget);
      });
      // Every number of units of each tensor, its largest ones.
      const sums = network.widths.map((n, i) => {
        const own = [...norms.subarray(i * n, (i + 1) * n)].sort((a, b) => b - a);
        return own.reduce((all, norm) => [...all, all.at(-1)! + norm], [0]);
      });
      let best = 0;
      const search = (counts: number[], value: number): void => {
        const tensor = counts.length;
        if (tensor === network.widths.length) {
          if (value > best && costs.cost(counts) <= budget) best = value;
          return;
        }
        for (let n = 0; n <= 16; n++) search([...counts, n], value + sums[tensor]![n]!);
      };
      search([], 0);
      const value = valueOf(norms, kept);
      expect(value / best, `seed ${seed}`).toBeGreaterThan(0.99);
      expect(value + compression.gap!()).toBeGreaterThanOrEqual(best - 1e-9);
    }
  });
});

it('a penalty keeps the units that minimise mu/2 ||v - theta||^2 + alpha cost', () => {
  for (let seed = 700; seed < 780; seed++) {
    const { network, v, quantity, random } = draw(seed);
    const norms = ownNorms(network, v);
    const [mu, alpha] = [0.1 + random.next(), 0.2 * random.next()];
    const compression: Compression = unitPenalty(groupUnits(network.views), alpha, { quantity });
    const merit = (kept: ReadonlySet<number>) => (mu / 2) * valueOf(norms, kept) - alpha * costOf(network, kept, quantity); // prettier-ignore
    expect(merit(keptOf(network, project(compression, v, mu))), `seed ${seed}`).toBeCloseTo(bestOf(network, merit), 9);
  }
});

it('heads have any number of units where their width is a multiple; filters have multiples themselves', () => {
  const heads = Array.from({ length: 12 }, (_, i) => new Array<number>(16).fill(i)).flat();
  const filters = Array.from({ length: 20 }, (_, i) => 100 + i);
  const views = [
    { name: 'heads', size: 3 * 192, shape: [3, 192], units: 192, groups: heads, flopsPerWeight: 2, axes: [{ axis: 1, groups: heads }] },
    { name: 'filters', size: 60, shape: [3, 20], units: 20, groups: filters, flopsPerWeight: 2, axes: [{ axis: 1, groups: filters }] },
  ]; // prettier-ignore
  const costs = new UnitCosts(groupUnits(views), 'neurons');
  expect([costs.step(0, 8), costs.step(1, 8), costs.step(0, 24)]).toEqual([1, 8, 3]);
  const v = Float32Array.from({ length: 3 * 192 + 60 }, (_, i) => 1 + i);
  const kept = project(unitConstraint(groupUnits(views), 25, { quantity: 'neurons', roundTo: 8 }), v);
  expect([nonZeros(kept.subarray(0, 576)) / 48, nonZeros(kept.subarray(576)) / 3]).toEqual([12, 8]);
});
