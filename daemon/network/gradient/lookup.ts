import { sizeOf } from '../../protocol/shape.js';
import type { Node } from '../ir.js';
import { type GradientRule, none, number } from './rule.js';

/** Gradients of the operations that look up by index. Indices have no gradient. */

export const lookupRules = {
  // Sums the rows of g by index, with the axis in front.
  Gather: ({ make, inputs, y, dy }) => {
    const [x, indices] = inputs as [Node, Node];
    const axis = number(y, 'axis');
    const count = sizeOf(indices.shape);
    const sum = () => {
      const lead = x.shape.slice(0, axis);
      const behind = x.shape.slice(axis + 1);
      const flat = make.reshape(dy, [sizeOf(lead), count, sizeOf(behind)]);
      const rows = make.reshape(make.transpose(flat, [1, 0, 2]), [count, ...lead, ...behind]);
      const ids = make.reshape(indices, [count]);
      const shape = [x.shape[axis]!, ...lead, ...behind];
      const sums = make.graph.add({ op: 'SegmentSum', inputs: [rows, ids], shape });
      const one = make.reshape(sums, [x.shape[axis]!, sizeOf(lead), sizeOf(behind)]);
      return make.reshape(make.transpose(one, [1, 0, 2]), x.shape);
    };
    return [sum, null];
  },
  // Each row was added to the sum of its id.
  SegmentSum: ({ make, inputs, dy }) => {
    const [x, ids] = inputs as [Node, Node];
    return [() => make.graph.add({ op: 'Gather', inputs: [dy, ids], attrs: { axis: 0 }, shape: x.shape }), null];
  },
  OneHot: none,
} satisfies Record<string, GradientRule>;
