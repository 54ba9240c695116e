import type { Compression } from '../compression.js';
import { BudgetError } from '../budgetError.js';
import { layerNameOf, type LayerView } from '../layerView.js';
import { knapsack } from './knapsack.js';
import { requireMu } from './l0.js';
import { rejectNonFinite } from './select.js';

/** A layer's part of a neuron view: weight i of it belongs to group groupOf[i mod units]; -1: to none (the unit stays). */
interface GroupedLayer {
  readonly start: number;
  readonly end: number;
  readonly groupOf: Int32Array;
}

/** Neurons and filters as groups of weights: incoming weights, bias, BatchNorm; tied layers share groups. */
export interface Groups {
  readonly layers: readonly GroupedLayer[];
  readonly count: number;
  /** The classes to which a floor or a cap applies: a layer, or a set of layers that share groups; named after the first. */
  readonly classes: readonly { readonly name: string; readonly count: number }[];
  readonly classOfGroup: Uint32Array;
  readonly classOfLayer: ReadonlyMap<string, number>;
  /** Kernel weights of each group, and their FLOPs; float64 for the knapsack. */
  readonly weights: Float64Array;
  readonly flops: Float64Array;
}

/** Joins layers that share a group, directly or through others; numbers the classes in the order of their first layer. */
function classesOf(placed: readonly GroupedLayer[], count: number): { ofGroup: Uint32Array; total: number } {
  const parent = Uint32Array.from({ length: count }, (_, g) => g);
  const root = (g: number): number => {
    while (parent[g] !== g) g = parent[g]!;
    return g;
  };
  for (const { groupOf } of placed) {
    const own = groupOf.filter((g) => g >= 0);
    for (const g of own) {
      const [a, b] = [root(own[0]!), root(g)];
      parent[Math.max(a, b)] = Math.min(a, b);
    }
  }
  const numbers = new Map<number, number>();
  const ofGroup = parent.map((_, g) => {
    const top = root(g);
    if (!numbers.has(top)) numbers.set(top, numbers.size);
    return numbers.get(top)!;
  });
  return { ofGroup, total: numbers.size };
}

/**
 * The groups of a neuron view (see LayerView for its layout).
 * @throws BudgetError when a layer's units are not known, or a kernel is no multiple of them.
 */
export function groupUnits(layers: readonly LayerView[]): Groups {
  const numbers = new Map<number, number>();
  const placed: GroupedLayer[] = [];
  let count = 0;
  let start = 0;
  for (const { name, size, units, unitVectors = 0, groups } of layers) {
    if (units === undefined)
      throw new BudgetError('neurons', `which weights belong to a neuron of layer "${name}" is not known`);
    if (!(units > 0) || size % units !== 0)
      throw new BudgetError('neurons', `layer "${name}" has ${size} weights for ${units} units`);
    const groupOf = new Int32Array(units);
    for (let unit = 0; unit < units; unit++) {
      const number = groups?.[unit];
      const known = number === undefined ? undefined : number < 0 ? -1 : numbers.get(number);
      groupOf[unit] = known ?? count++;
      if (known === undefined && number !== undefined) numbers.set(number, groupOf[unit]!);
    }
    placed.push({ start, end: start + size + unitVectors * units, groupOf });
    start = placed.at(-1)!.end;
  }
  const { ofGroup: classOfGroup, total } = classesOf(placed, count);
  const names = new Array<string | undefined>(total);
  const classOfLayer = new Map<string, number>();
  const weights = new Float64Array(count);
  const flops = new Float64Array(count);
  layers.forEach((layer, l) => {
    const { groupOf } = placed[l]!;
    const first = groupOf.find((g) => g >= 0);
    if (first !== undefined) {
      classOfLayer.set(layer.name, classOfGroup[first]!);
      names[classOfGroup[first]!] ??= layerNameOf(layer);
    }
    for (const g of groupOf) {
      if (g < 0) continue;
      weights[g]! += layer.size / groupOf.length;
      flops[g]! += (layer.size / groupOf.length) * layer.flopsPerWeight;
    }
  });
  const classes = names.map((name, c) => ({
    name: name!,
    count: classOfGroup.reduce((n, one) => n + Number(one === c), 0),
  }));
  return { layers: placed, count, classes, classOfGroup, classOfLayer, weights, flops };
}

/** Calls with the position of each weight of the view that belongs to a group, and the group. */
function eachGrouped({ layers }: Groups, visit: (position: number, group: number) => void): void {
  for (const { start, end, groupOf } of layers) {
    for (let row = start; row < end; row += groupOf.length) {
      for (let unit = 0; unit < groupOf.length; unit++) if (groupOf[unit]! >= 0) visit(row + unit, groupOf[unit]!);
    }
  }
}

/** Squared l2 norm of each group, in float64. @throws RangeError on a NaN or an infinity. */
function squaredNorms(groups: Groups, v: Float32Array, norms: Float64Array): void {
  norms.fill(0);
  eachGrouped(groups, (i, g) => (norms[g]! += v[i]! * v[i]!));
  for (let g = 0; g < norms.length; g++) if (!Number.isFinite(norms[g])) rejectNonFinite(v);
}

/** theta = v on the kept groups and on fixed units, 0 elsewhere. */
function keepGroups(groups: Groups, keep: Uint8Array, v: Float32Array, theta: Float32Array): void {
  if (theta !== v) theta.set(v);
  eachGrouped(groups, (i, g) => {
    if (keep[g] === 0) theta[i] = 0;
  });
}

/** A group is kept if any of its weights is: a weight that is 0 by chance may still be trained. */
const keptGroups =
  (groups: Groups) =>
  (theta: Float32Array, kept: Uint8Array): void => {
    const keep = new Uint8Array(groups.count);
    eachGrouped(groups, (i, g) => {
      if (theta[i] !== 0) keep[g] = 1;
    });
    kept.fill(1);
    eachGrouped(groups, (i, g) => (kept[i] = keep[g]!));
  };

function groupCost(groups: Groups, costs: Float64Array): (theta: Float32Array) => number {
  const norms = new Float64Array(groups.count);
  return (theta) => {
    squaredNorms(groups, theta, norms);
    return norms.reduce((total, norm, g) => (norm > 0 ? total + costs[g]! : total), 0);
  };
}

/** Bounds on the groups kept of each class, in the order of groups.classes. */
export interface ClassLimit {
  readonly floor: number;
  readonly cap: number;
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
    cost: groupCost(groups, new Float64Array(groups.count).fill(1)),
    support: keptGroups(groups),
  };
}

/**
 * Groups whose total cost is within the budget: a knapsack of squared norms, exact if it is small, else with a gap.
 * @param floors least number of groups of each class; those of the largest norm are taken first. (Groups of a class have equal costs, so no other
 * choice within the floors is better; if ties make costs differ, no other choice has larger norms.) Floors that exceed the budget are left out.
 */
export function groupKnapsack(
  groups: Groups,
  costs: Float64Array,
  budget: number,
  unit: string,
  floors: readonly number[] = groups.classes.map(() => 0),
): Compression {
  const norms = new Float64Array(groups.count);
  let gap = 0;
  return {
    description: `group constraint, ${budget} ${unit} in ${groups.count} neurons`,
    project(v, _mu, theta) {
      squaredNorms(groups, v, norms);
      const forced = largestOfClasses(groups, norms, floors);
      const spent = forced.reduce((total, on, g) => total + on * costs[g]!, 0);
      const keep = spent <= budget ? forced : new Uint8Array(groups.count);
      const left = [...keep.keys()].filter((g) => keep[g] === 0);
      const choice = knapsack(
        Float64Array.from(left, (g) => norms[g]!),
        Float64Array.from(left, (g) => costs[g]!),
        spent <= budget ? budget - spent : budget,
      );
      gap = choice.gap;
      left.forEach((g, item) => (keep[g] = choice.taken[item]!));
      keepGroups(groups, keep, v, theta);
    },
    cost: groupCost(groups, costs),
    support: keptGroups(groups),
    gap: () => gap,
  };
}

/** 1 for the `floors` groups of largest norm of each class, ties to the lowest group. */
function largestOfClasses(groups: Groups, norms: Float64Array, floors: readonly number[]): Uint8Array {
  const taken = new Uint8Array(groups.count);
  const left = [...floors];
  const order = Uint32Array.from(norms.keys()).sort((a, b) => norms[b]! - norms[a]! || a - b);
  // A zero group costs nothing.
  for (const g of order) if (norms[g]! > 0 && left[groups.classOfGroup[g]!]!-- > 0) taken[g] = 1;
  return taken;
}

/** Group penalty with costs: keeps group g where mu/2 ||v_g||^2 > alpha cost_g, exact. */
export function groupPenalty(groups: Groups, alpha: number, costs: Float64Array, unit: string): Compression {
  const norms = new Float64Array(groups.count);
  const keep = new Uint8Array(groups.count);
  return {
    description: `group penalty, alpha = ${alpha} per ${unit}`,
    project(v, mu, theta) {
      requireMu(mu);
      squaredNorms(groups, v, norms);
      for (let g = 0; g < keep.length; g++) keep[g] = (mu / 2) * norms[g]! > alpha * costs[g]! ? 1 : 0;
      keepGroups(groups, keep, v, theta);
    },
    cost: groupCost(groups, costs),
    support: keptGroups(groups),
  };
}
