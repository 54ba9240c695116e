import { sliced } from '../known.js';
import type { Rule } from '../rule.js';
import type { Value } from '../values.js';

/** Rules of the operations in which one input gives the places of another input's elements. */

export const lookupRules: Readonly<Record<string, Rule>> = {
  Gather: {
    tie: (step, ties) => {
      const [x, indices] = step.inputs as [Value, Value];
      const at = step.node.attrs['axis'] as number;
      const more = indices.shape.length;
      ties.pin(step, x, at, 'looked up');
      indices.shape.forEach((_, axis) => ties.same(step, step.output, at + axis, indices, axis));
      x.shape.forEach((_, axis) => {
        if (axis === at) return;
        ties.same(step, step.output, axis < at ? axis : axis - 1 + more, x, axis);
        if (x.fixed) ties.role(x, axis, 'makes');
      });
    },
    known: ({ inputs, node, output }, [x]) => {
      const at = node.attrs['axis'] as number;
      const more = inputs[1]!.shape.length;
      const axes = inputs[0]!.shape.flatMap((_, axis) => axis === at ? [] : [[axis < at ? axis : axis - 1 + more, x!.axis(axis)] as const]); // prettier-ignore
      return sliced(output.shape, new Map(axes), x!.whole);
    },
  },

  SegmentSum: {
    tie: (step, ties) => {
      const [x, ids] = step.inputs as [Value, Value];
      ties.pin(step, ids, 0, 'looked up');
      for (const value of [x, step.output]) ties.pin(step, value, 0, 'looked up');
      for (let axis = 1; axis < x.shape.length; axis++) ties.same(step, step.output, axis, x, axis);
    },
  },

  OneHot: {
    tie: (step, ties) => {
      const [indices] = step.inputs as [Value];
      indices.shape.forEach((_, axis) => ties.same(step, step.output, axis, indices, axis));
      ties.pin(step, step.output, step.output.shape.length - 1, 'looked up');
    },
  },
};
