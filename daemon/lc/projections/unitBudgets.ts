/** C steps that keep or remove whole units. */
import type { Compression } from '../compression.js';
import { keepGroups, keptGroups, squaredNorms, type Groups } from './groups.js';
import { requireMu } from './l0.js';
import { chooseUnits, type Levels, type UnitProblem } from './unitChoice.js';
import { UnitCosts, type UnitQuantity } from './unitCosts.js';

/** Bounds on the groups kept of each class, in the order of groups.classes. */
export interface ClassLimit {
  readonly floor: number;
  readonly cap: number;
}

/** The cost of the groups that are not 0. */
export function unitsCost(groups: Groups, costs: UnitCosts): (theta: Float32Array) => number {
  const norms = new Float64Array(groups.count);
  return (theta) => {
    squaredNorms(groups, theta, norms);
    const counts = new Uint32Array(costs.kinds);
    norms.forEach((norm, g) => norm > 0 && counts[costs.kindOf[g]!]!++);
    return costs.cost(counts);
  };
}

/**
 * Group l0 constraint: at most K groups, those of the largest squared norm (not divided by size), exact also under a
 * floor and a cap per class; ties to the lowest group. A group that is 0 takes nothing of K, nor of a floor.
 */
export function groupConstraint(groups: Groups, K: number, limits: readonly ClassLimit[] | null = null): Compression {
  const norms = new Float64Array(groups.count);
  const keep = new Uint8Array(groups.count);
  const order = new Uint32Array(groups.count);
  const { classOfGroup } = groups;
  const kept = new Uint32Array(groups.classes.length);
  return {
    description: `group constraint, ${K} of ${groups.count} neurons`,
    project(v, _mu, theta) {
      squaredNorms(groups, v, norms);
      for (let g = 0; g < order.length; g++) order[g] = g;
      order.sort((a, b) => norms[b]! - norms[a]! || a - b);
      keep.fill(0);
      kept.fill(0);
      let left = K;
      const take = (bound: 'floor' | 'cap'): void => {
        for (const g of order) {
          const c = classOfGroup[g]!;
          if (left === 0 || norms[g] === 0) return;
          if (keep[g] === 1 || (limits && kept[c]! >= limits[c]![bound])) continue;
          keep[g] = 1;
          kept[c]!++;
          left--;
        }
      };
      if (limits) take('floor');
      take('cap');
      keepGroups(groups, keep, v, theta);
    },
    cost: unitsCost(groups, new UnitCosts(groups, 'neurons')),
    support: keptGroups(groups),
  };
}

/** What a C step of whole units may keep, and at what cost. */
export interface UnitRules {
  readonly quantity: UnitQuantity;
  /** Default: of each class any number. If the floors alone exceed the budget, there are none. */
  readonly limits?: readonly ClassLimit[] | null;
  /**
   * Kept indices of each axis are a multiple of this: whole multiples of each kind of unit, or all of it. A kind with fewer units is kept
   * whole or not at all. Default 1.
   */
  readonly roundTo?: number;
}

/** Numbers of units of a kind that may stay, of `there` that are not 0. */
function levelsOf(norms: readonly number[], size: number, step: number): Levels {
  const there = norms.length;
  const counts = Array.from({ length: Math.floor(there / step) + 1 }, (_, level) => level * step);
  // All of them; or what is left of a kind that has fewer than one step, which no other number can round.
  if (counts.at(-1)! < there && (there === size || counts.length === 1)) counts.push(there);
  const sums = new Float64Array(there + 1);
  norms.forEach((norm, i) => (sums[i + 1] = sums[i]! + norm));
  return { counts: Uint32Array.from(counts), values: Float64Array.from(counts, (n) => sums[n]!) };
}

/** The first level of at least so many units; the last one if there are fewer. */
function levelFor({ counts }: Levels, units: number): number {
  const at = counts.findIndex((n) => n >= units);
  return at < 0 ? counts.length - 1 : at;
}

/** Whole units by value, cost and limits, for any v. */
class UnitChooser {
  readonly costs: UnitCosts;
  readonly #steps: number[];
  readonly #norms: Float64Array;

  constructor(
    private readonly groups: Groups,
    private readonly rules: UnitRules,
  ) {
    this.costs = new UnitCosts(groups, rules.quantity);
    this.#steps = Array.from(this.costs.sizes, (_, kind) => this.costs.step(kind, rules.roundTo ?? 1));
    this.#norms = new Float64Array(groups.count);
  }

  /** Writes the choice to theta. @returns the upper bound of what a better one would be nearer. */
  project(v: Float32Array, theta: Float32Array, budget: number, rate: number): () => number {
    const { groups, costs } = this;
    const norms = this.#norms;
    squaredNorms(groups, v, norms);
    // By kind, its groups by norm, the largest first, and ties the lowest first.
    const order: number[][] = Array.from({ length: costs.kinds }, () => []);
    norms.forEach((norm, g) => norm > 0 && order[costs.kindOf[g]!]!.push(g));
    for (const own of order) own.sort((a, b) => norms[b]! - norms[a]! || a - b);
    const levels = order.map((own, kind) => levelsOf(own.map((g) => norms[g]!), costs.sizes[kind]!, this.#steps[kind]!)); // prettier-ignore
    const limits = this.#limits(order, levels);
    const problem = { costs, levels, ...limits, budget, rate };
    const { counts, gap } = chooseUnits(this.#withoutFloors(problem));
    const keep = new Uint8Array(groups.count);
    order.forEach((own, kind) => own.slice(0, counts[kind]).forEach((g) => (keep[g] = 1)));
    keepGroups(groups, keep, v, theta);
    return gap;
  }

  /** Floors and caps of classes as levels of kinds: the largest groups of the class count. */
  #limits(order: readonly (readonly number[])[], levels: readonly Levels[]): Pick<UnitProblem, 'low' | 'high'> {
    const { costs } = this;
    const all = { low: new Int32Array(costs.kinds), high: Int32Array.from(levels, ({ counts }) => counts.length - 1) };
    const { limits } = this.rules;
    if (!limits) return all;
    limits.forEach(({ floor, cap }, c) => {
      const kinds = [...order.keys()].filter((kind) => costs.classOf[kind] === c);
      const largest = kinds.flatMap((kind) => order[kind]!).sort((a, b) => this.#norms[b]! - this.#norms[a]! || a - b);
      const countOf = (kind: number, units: number): number =>
        largest.slice(0, units).reduce((n, g) => n + Number(costs.kindOf[g] === kind), 0);
      for (const kind of kinds) {
        const { counts } = levels[kind]!;
        all.low[kind] = levelFor(levels[kind]!, countOf(kind, floor));
        const most = countOf(kind, cap);
        all.high[kind] = Math.max(
          all.low[kind]!,
          counts.findLastIndex((n) => n <= most),
        );
      }
    });
    return all;
  }

  #withoutFloors(problem: UnitProblem): UnitProblem {
    const least = Uint32Array.from(problem.low, (level, kind) => problem.levels[kind]!.counts[level]!);
    return this.costs.cost(least) <= problem.budget ? problem : { ...problem, low: new Int32Array(least.length) };
  }
}

/**
 * Units of the largest total squared norm whose cost, as a network without the others counts, is within the budget. A network
 * of a few kinds of units gets the best choice, others one that leaves no room for another unit, with a bound on its distance from the best.
 */
export function unitConstraint(groups: Groups, budget: number, rules: UnitRules): Compression {
  const chooser = new UnitChooser(groups, rules);
  let gap = (): number => 0;
  return {
    description: `group constraint, ${budget} ${rules.quantity} in ${groups.count} neurons`,
    project(v, _mu, theta) {
      gap = chooser.project(v, theta, budget, 0);
    },
    cost: unitsCost(groups, chooser.costs),
    support: keptGroups(groups),
    gap: () => gap(),
  };
}

/** Penalty on the cost of the units that stay: minimises mu/2 ||v - theta||^2 + alpha cost. Exact for neurons, else as unitConstraint. */
export function unitPenalty(groups: Groups, alpha: number, rules: UnitRules): Compression {
  const chooser = new UnitChooser(groups, rules);
  let gap = (): number => 0;
  return {
    description: `group penalty, alpha = ${alpha} per ${rules.quantity === 'neurons' ? 'neuron' : rules.quantity.slice(0, -1)}`,
    project(v, mu, theta) {
      requireMu(mu);
      gap = chooser.project(v, theta, Infinity, (2 * alpha) / mu);
    },
    cost: unitsCost(groups, chooser.costs),
    support: keptGroups(groups),
    gap: () => gap(),
  };
}

/** By class, the least number of units that can stay of it, unless it loses all. */
export function leastUnits(groups: Groups, roundTo: number): number[] {
  const costs = new UnitCosts(groups, 'neurons');
  const least = new Array<number>(groups.classes.length).fill(Infinity);
  costs.classOf.forEach((c, kind) => (least[c] = Math.min(least[c]!, costs.sizes[kind]!, costs.step(kind, roundTo))));
  return least;
}
