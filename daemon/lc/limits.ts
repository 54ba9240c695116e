import type { Compression } from './compression.js';
import { countNonZeros, keepLargest, requireFinite } from './projections/select.js';

/** What one layer keeps under a global budget: at least `floor`, at most `cap` weights. */
export interface LayerLimit {
  readonly name: string;
  readonly size: number;
  readonly floor: number;
  readonly cap: number;
  /** Cost of one weight in the budget's unit. Default 1. */
  readonly cost?: number;
}

/** Largest total cost of the floors. */
export const floorsCost = (limits: readonly LayerLimit[]): number =>
  limits.reduce((total, { floor, cost = 1 }) => total + floor * cost, 0);

/**
 * A global l0 budget with a floor and a cap per layer, exact (a greedy basis of a matroid): each layer's `floor` largest weights are kept in any
 * case, those below its `cap` largest are dropped, and the rest competes in `rest`, the global C step on the budget left by the floors. A weight that
 * is 0 costs nothing, so a floor above a layer's non-zeros costs as much as those.
 */
export function withLimits(
  limits: readonly LayerLimit[],
  budget: number,
  rest: (budget: number) => Compression,
  description: string,
): Compression {
  const least = budget - floorsCost(limits);
  let competing = { budget: least, compression: rest(least) };
  const size = limits.reduce((total, limit) => total + limit.size, 0);
  const floors = limits.some(({ floor }) => floor > 0);
  const forced = new Float32Array(floors ? size : 0);
  return {
    description,
    project(v, mu, theta) {
      requireFinite(v);
      if (theta !== v) theta.set(v);
      let start = 0;
      let left = budget;
      for (const { size, floor, cap, cost = 1 } of limits) {
        const layer = theta.subarray(start, start + size);
        if (cap < size) keepLargest(layer, cap, layer);
        if (floors) {
          const kept = forced.subarray(start, start + size);
          keepLargest(layer, floor, kept);
          if (floor > 0) {
            for (let i = 0; i < size; i++) if (kept[i] !== 0) layer[i] = 0;
            left -= countNonZeros(kept) * cost;
          }
        }
        start += size;
      }
      if (left !== competing.budget) competing = { budget: left, compression: rest(left) };
      competing.compression.project(theta, mu, theta);
      if (floors) for (let i = 0; i < size; i++) if (forced[i] !== 0) theta[i] = forced[i]!;
    },
    cost: (theta) => competing.compression.cost(theta),
    ...(competing.compression.gap && { gap: () => competing.compression.gap!() }),
  };
}
