import type { Compression } from './compression.js';
import { BudgetError, type LayerView } from './budgetSpec.js';
import { knapsack } from './knapsack.js';
import { requireMu } from './l0.js';
import { rejectNonFinite } from './select.js';

/** A layer's part of a neuron view: weight i of it belongs to group firstGroup + i mod units, or to none (fixed units). */
interface GroupedLayer {
  readonly start: number;
  readonly end: number;
  readonly units: number;
  readonly firstGroup: number | null;
}

/** Neurons and filters as groups of weights: incoming weights, bias, BatchNorm; tied layers share groups. */
export interface Groups {
  readonly layers: readonly GroupedLayer[];
  readonly count: number;
  /** Sets of groups a floor or a cap speaks of: one per layer, or per tie. */
  readonly classes: readonly { readonly name: string; readonly first: number; readonly count: number }[];
  readonly classOfLayer: ReadonlyMap<string, number>;
  /** Kernel weights of each group, and their FLOPs; float64 for the knapsack. */
  readonly weights: Float64Array;
  readonly flops: Float64Array;
}

/**
 * The groups of a neuron view (see LayerView for its layout).
 * @throws BudgetError when a layer's units are not known, tied layers differ in their number of units, or a kernel is no multiple of them.
 */
export function groupUnits(layers: readonly LayerView[]): Groups {
  const fixedTies = new Set(layers.flatMap(({ tie, fixedUnits }) => (fixedUnits && tie !== undefined ? [tie] : [])));
  const classes: { name: string; first: number; count: number }[] = [];
  const classOfTie = new Map<string, number>();
  const classOfLayer = new Map<string, number>();
  const placed: GroupedLayer[] = [];
  let count = 0;
  let start = 0;
  for (const layer of layers) {
    const { units } = layer;
    if (units === undefined) {
      throw new BudgetError('neurons', `which weights belong to a neuron of layer "${layer.name}" is not known`);
    }
    if (!(units > 0) || layer.size % units !== 0) {
      throw new BudgetError('neurons', `layer "${layer.name}" has ${layer.size} weights for ${units} units`);
    }
    const { tie } = layer;
    const end = start + layer.size + (layer.unitVectors ?? 0) * units;
    let firstGroup: number | null = null;
    if (!layer.fixedUnits && !(tie !== undefined && fixedTies.has(tie))) {
      let index = tie === undefined ? undefined : classOfTie.get(tie);
      if (index === undefined) {
        index = classes.push({ name: layer.name, first: count, count: units }) - 1;
        if (tie !== undefined) classOfTie.set(tie, index);
        count += units;
      }
      const shared = classes[index]!;
      if (shared.count !== units) {
        throw new BudgetError(
          'neurons',
          `layers "${shared.name}" and "${layer.name}" share their units but have ${shared.count} and ${units}`,
        );
      }
      classOfLayer.set(layer.name, index);
      firstGroup = shared.first;
    }
    placed.push({ start, end, units, firstGroup });
    start = end;
  }
  const weights = new Float64Array(count);
  const flops = new Float64Array(count);
  layers.forEach((layer, l) => {
    const { units, firstGroup } = placed[l]!;
    if (firstGroup === null) return;
    for (let g = firstGroup; g < firstGroup + units; g++) {
      weights[g]! += layer.size / units;
      flops[g]! += (layer.size / units) * layer.flopsPerWeight;
    }
  });
  return { layers: placed, count, classes, classOfLayer, weights, flops };
}

/** Squared l2 norm of each group, in float64. @throws RangeError on a NaN or an infinity. */
function squaredNorms(groups: Groups, v: Float32Array, norms: Float64Array): void {
  norms.fill(0);
  for (const { start, end, units, firstGroup } of groups.layers) {
    if (firstGroup === null) continue;
    for (let row = start; row < end; row += units) {
      for (let unit = 0; unit < units; unit++) norms[firstGroup + unit]! += v[row + unit]! * v[row + unit]!;
    }
  }
  for (let g = 0; g < norms.length; g++) if (!Number.isFinite(norms[g])) rejectNonFinite(v);
}

/** theta = v on the kept groups and on fixed units, 0 elsewhere. */
function keepGroups(groups: Groups, keep: Uint8Array, v: Float32Array, theta: Float32Array): void {
  if (theta !== v) theta.set(v);
  for (const { start, end, units, firstGroup } of groups.layers) {
    if (firstGroup === null) continue;
    for (let row = start; row < end; row += units) {
      for (let unit = 0; unit < units; unit++) if (keep[firstGroup + unit] === 0) theta[row + unit] = 0;
    }
  }
}

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
 * floor and a cap per class; ties to the lowest group.
 */
export function groupConstraint(groups: Groups, K: number, limits: readonly ClassLimit[] | null = null): Compression {
  const norms = new Float64Array(groups.count);
  const keep = new Uint8Array(groups.count);
  const order = new Uint32Array(groups.count);
  const classOf = new Uint32Array(groups.count);
  groups.classes.forEach(({ first, count }, c) => classOf.fill(c, first, first + count));
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
          const c = classOf[g]!;
          if (left === 0 || keep[g] === 1 || (limits && kept[c]! >= limits[c]![bound])) continue;
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
  };
}

/** Groups whose total cost is within the budget: a knapsack of squared norms, exact where it is small, else with a gap. */
export function groupKnapsack(groups: Groups, costs: Float64Array, budget: number, unit: string): Compression {
  const norms = new Float64Array(groups.count);
  let gap = 0;
  return {
    description: `group constraint, ${budget} ${unit} in ${groups.count} neurons`,
    project(v, _mu, theta) {
      squaredNorms(groups, v, norms);
      const choice = knapsack(norms, costs, budget);
      gap = choice.gap;
      keepGroups(groups, choice.taken, v, theta);
    },
    cost: groupCost(groups, costs),
    gap: () => gap,
  };
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
  };
}
