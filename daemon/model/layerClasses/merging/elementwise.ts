/** Element-wise merges. */
import { layer } from '../../keras3/arguments.js';
import type { Dim, Shape } from '../../layers/shape.js';
import type { LayerClass, ShapeRule } from '../layerClass.js';
import { merged } from '../rules/channels.js';

/** They broadcast from the right. */
const broadcast: ShapeRule = (_config, inputs) => {
  let merged: Shape | null = inputs[0] ?? null;
  for (const other of inputs.slice(1)) {
    if (merged === null || other === null) return [null];
    const [long, short]: [Shape, Shape] = merged.length >= other.length ? [merged, other] : [other, merged];
    const lead = long.length - short.length;
    const shape: Dim[] = [];
    for (const [i, a] of long.entries()) {
      const b = i < lead ? 1 : short[i - lead]!;
      if (a === null || b === null) shape.push(null);
      else if (a === 1 || a === b) shape.push(b);
      else if (b === 1) shape.push(a);
      else return [null];
    }
    merged = shape;
  }
  return [merged];
};

const merge = (f: (values: readonly number[]) => number): LayerClass => ({
  shape: broadcast,
  channels: merged(f),
  mask: 'merge',
  keras: layer(),
});

export const MERGES = {
  Add: merge((values) => values.reduce((sum, x) => sum + x, 0)),
  Average: merge((values) => values.reduce((sum, x) => sum + x, 0) / values.length),
  // A masked factor is 1; if all are masked, the product is 0.
  Multiply: { ...merge((values) => values.reduce((product, x) => product * x, 1)), readsMask: 'keeps zeros' },
  Maximum: { ...merge((values) => Math.max(...values)), readsMask: 'keeps constants' },
  Minimum: { ...merge((values) => Math.min(...values)), readsMask: 'keeps constants' },
  // normalise/subtract.ts replaces it by a sum; its mask is needed before that.
  Subtract: { mask: 'merge' },
} satisfies Record<string, LayerClass>;
