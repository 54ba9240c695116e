/** Element-wise merges. */
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { layer } from '../../keras3/arguments.js';
import type { Dim, Shape } from '../../layers/shape.js';
import type { ForwardRule, LayerClass, ShapeRule } from '../layerClass.js';
import { maskedExtreme, maskedProduct } from './masked.js';

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

const sum = (op: Operations, inputs: readonly Node[]): Node => inputs.reduce((a, b) => op.add(a, b));

/** Tensors of different ranks are aligned in another way than by broadcasting. */
const merge = (forward: ForwardRule): LayerClass => ({
  shape: broadcast,
  forward: (op, config, inputs, weights, call) =>
    inputs.every(({ shape }) => shape.length === inputs[0]!.shape.length)
      ? forward(op, config, inputs, weights, call)
      : null,
  mask: 'merge',
  keras: layer(),
});

export const MERGES = {
  Add: merge((op, _config, inputs) => sum(op, inputs)),
  Average: merge((op, _config, inputs) => op.mul(sum(op, inputs), 1 / inputs.length)),
  Multiply: merge((op, _config, inputs, _weights, { masks }) => maskedProduct(op, inputs, masks)),
  Maximum: merge((op, _config, inputs, _weights, { masks }) => maskedExtreme(op, 'Maximum', inputs, masks)),
  Minimum: merge((op, _config, inputs, _weights, { masks }) => maskedExtreme(op, 'Minimum', inputs, masks)),
  // normalise/subtract.ts replaces it by a sum; its mask is needed before that.
  Subtract: { mask: 'merge' },
} satisfies Record<string, LayerClass>;
