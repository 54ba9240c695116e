import type { Compression } from './compression.js';
import { keepLargest, requireFinite } from './select.js';

/** What one layer keeps under a global budget: at least `floor`, at most `cap` weights. */
export interface LayerLimit {
  readonly name: string;
  readonly size: number;
  readonly floor: number;
  readonly cap: number;
}

/**
 * A global l0 budget with a floor and a cap per layer, exact (a greedy basis of a matroid): each layer's `floor` largest
 * are kept whatever the others are, whatever lies below its `cap` largest is dropped, and what is between competes in
 * `rest`, the global C step on the budget that the floors leave.
 */
export function withLimits(limits: readonly LayerLimit[], rest: Compression, description: string): Compression {
  const size = limits.reduce((total, limit) => total + limit.size, 0);
  const floors = limits.some(({ floor }) => floor > 0);
  const forced = new Float32Array(floors ? size : 0);
  return {
    description,
    project(v, mu, theta) {
      requireFinite(v);
      if (theta !== v) theta.set(v);
      let start = 0;
      for (const { size, floor, cap } of limits) {
        const layer = theta.subarray(start, start + size);
        if (cap < size) keepLargest(layer, cap, layer);
        if (floors) {
          const kept = forced.subarray(start, start + size);
          keepLargest(layer, floor, kept);
          if (floor > 0) for (let i = 0; i < size; i++) if (kept[i] !== 0) layer[i] = 0;
        }
        start += size;
      }
      rest.project(theta, mu, theta);
      if (floors) for (let i = 0; i < size; i++) if (forced[i] !== 0) theta[i] = forced[i]!;
    },
    cost: (theta) => rest.cost(theta),
    ...(rest.gap && { gap: rest.gap }),
  };
}
