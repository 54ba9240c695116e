import type { Compression } from './compression.js';
import { knapsack } from './projections/knapsack.js';
import { hardThreshold, requireMu } from './projections/l0.js';
import { BINS, LOW_BINS, LOW_BITS, bitsOf, requireFinite } from './projections/select.js';

/** A layer's part of the view: `size` weights of `cost` FLOPs each (an integer >= 0; 0 means free, so always kept). */
export interface CostedLayer {
  readonly size: number;
  readonly cost: number;
}

const LOW_MASK = LOW_BINS - 1;
const binCosts = /* @__PURE__ */ new Float64Array(BINS);
const lowCosts = /* @__PURE__ */ new Float64Array(LOW_BINS);
const density = /* @__PURE__ */ new Float32Array(1);
const densityBits = /* @__PURE__ */ bitsOf(density);
/** Most weights for which the exact dynamic program is considered. */
const SMALL = 1 << 12;

function keptCost(theta: Float32Array, layers: readonly CostedLayer[]): number {
  let total = 0;
  let i = 0;
  for (const { size, cost } of layers) {
    let kept = 0;
    for (const end = i + size; i < end; i++) if (theta[i]! !== 0) kept++;
    total += kept * cost;
  }
  return total;
}

/** FLOPs of the layers when nothing is pruned. */
export const denseCost = (layers: readonly CostedLayer[]): number =>
  layers.reduce((total, { size, cost }) => total + size * cost, 0);

/**
 * FLOPs constraint: the sum of the kept weights' costs <= budget, a knapsack. Greedy by v^2/cost in O(n): a histogram of costs over the density
 * |v|/sqrt(cost) finds where the budget ends; ties go to the lowest index. Its gap is at most the fractional relaxation's, (budget left) * v^2/cost
 * of the first weight left out, which is below that weight's v^2.
 * Small problems are solved exactly by dynamic programming.
 */
export function flopsConstraint(budget: number, layers: readonly CostedLayer[]): Compression {
  const size = layers.reduce((total, layer) => total + layer.size, 0);
  const densities = new Float32Array(size);
  const keys = bitsOf(densities);
  let gap = 0;
  return {
    description: `FLOPs constraint, ${budget} of ${denseCost(layers)}`,
    project(v, _mu, theta) {
      requireFinite(v);
      if (size <= SMALL) {
        gap = projectSmall(v, layers, budget, theta);
        return;
      }
      binCosts.fill(0);
      eachLayer(layers, (start, end, cost) => {
        const scale = 1 / Math.sqrt(cost);
        for (let i = start; i < end; i++) {
          densities[i] = Math.abs(v[i]!) * scale;
          binCosts[keys[i]! >>> LOW_BITS]! += cost;
        }
      });
      const upper = fill(binCosts, budget);
      if (theta !== v) theta.set(v);
      gap = 0;
      if (upper.bin < 0) return;
      lowCosts.fill(0);
      eachLayer(layers, (start, end, cost) => {
        for (let i = start; i < end; i++)
          if (keys[i]! >>> LOW_BITS === upper.bin) lowCosts[keys[i]! & LOW_MASK]! += cost;
      });
      const lower = fill(lowCosts, upper.left);
      const threshold = (upper.bin << LOW_BITS) | lower.bin;
      let { left } = lower;
      let full = false;
      eachLayer(layers, (start, end, cost) => {
        for (let i = start; i < end; i++) {
          const key = keys[i]!;
          if (key > threshold) continue;
          if (key === threshold && !full && cost <= left) left -= cost;
          else {
            if (key === threshold) full = true;
            theta[i] = 0;
          }
        }
      });
      densityBits[0] = threshold;
      gap = left * density[0]! * density[0]!;
    },
    cost: (theta) => keptCost(theta, layers),
    gap: () => gap,
  };
}

/** Calls with each layer that has a cost; free weights stay as they are. */
function eachLayer(layers: readonly CostedLayer[], visit: (start: number, end: number, cost: number) => void): void {
  let start = 0;
  for (const { size, cost } of layers) {
    if (cost > 0) visit(start, start + size, cost);
    start += size;
  }
}

/** The first bin from the top whose items no longer all fit, and the budget left above it; bin -1 when all fit. */
function fill(costs: Float64Array, budget: number): { bin: number; left: number } {
  let left = budget;
  let bin = costs.length - 1;
  for (; bin >= 0 && costs[bin]! <= left; bin--) left -= costs[bin]!;
  return { bin, left };
}

function projectSmall(v: Float32Array, layers: readonly CostedLayer[], budget: number, theta: Float32Array): number {
  const items: number[] = [];
  const costs: number[] = [];
  eachLayer(layers, (start, end, cost) => {
    for (let i = start; i < end; i++) {
      items.push(i);
      costs.push(cost);
    }
  });
  const values = Float64Array.from(items, (i) => v[i]! * v[i]!);
  const { taken, gap } = knapsack(values, Float64Array.from(costs), budget);
  if (theta !== v) theta.set(v);
  items.forEach((i, item) => {
    if (taken[item] === 0) theta[i] = 0;
  });
  return gap;
}

/** Penalty with costs: alpha * FLOPs. Keeps v_i where mu/2 v_i^2 > alpha * cost, exact. */
export function flopsPenalty(alpha: number, layers: readonly CostedLayer[]): Compression {
  return {
    description: `FLOPs penalty, alpha = ${alpha}`,
    project(v, mu, theta) {
      requireMu(mu);
      let start = 0;
      for (const { size, cost } of layers) {
        const end = start + size;
        hardThreshold(v.subarray(start, end), (2 * alpha * cost) / mu, theta.subarray(start, end));
        start = end;
      }
    },
    cost: (theta) => keptCost(theta, layers),
  };
}
