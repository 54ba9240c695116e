import { binaryOps, unaryOps } from '../../ir.js';
import { sliced } from '../known.js';
import type { Rule } from '../rule.js';
import { scalarOf } from '../scalars.js';

/** Rules of the operations that compute each element from elements in the same place, broadcast as in NumPy. */

const elementwise: Rule = {
  tie: (step, ties) => {
    const { output, inputs } = step;
    for (const input of inputs) {
      const lead = output.shape.length - input.shape.length;
      input.shape.forEach((n, axis) => {
        if (n === output.shape[lead + axis]) ties.same(step, output, lead + axis, input, axis);
      });
    }
  },
  known: ({ node, inputs, output }, given) => {
    const f = scalarOf(node)!;
    const axes = output.shape.map((n, axis) => {
      const parts = inputs.map(({ shape }, k) => {
        const own = axis - output.shape.length + shape.length;
        return own >= 0 && shape[own] === n ? given[k]!.axis(own) : null;
      });
      return Float64Array.from({ length: n }, (_, i) => f(...parts.map((part, k) => part?.[i] ?? given[k]!.whole)));
    });
    return sliced(output.shape, new Map(axes.entries()), f(...given.map(({ whole }) => whole)));
  },
};

const others = ['LeakyRelu', 'ClipByValue', 'Step', 'Cast', 'EluGrad', 'Select', 'Prelu'];

export const elementwiseRules: Readonly<Record<string, Rule>> = Object.fromEntries(
  [...unaryOps, ...binaryOps, ...others].map((op) => [op, elementwise]),
);
