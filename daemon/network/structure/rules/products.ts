import { constantResults, contractionOf, matMulAxes } from '../contraction.js';
import { contractionReads } from '../contractionReads.js';
import { sliced } from '../known.js';
import type { Rule } from '../rule.js';
import type { Step, Value } from '../values.js';

/** The rule of matrix products: the summed axis is tied in both factors, and the other axes are tied to the result's. */

/** The axis of a factor that a batch axis of the result comes from; -1 if it is repeated. */
function batchAxis({ output }: Step, factor: Value, axis: number): number {
  const own = axis - output.shape.length + factor.shape.length;
  return own >= 0 && factor.shape[own] === output.shape[axis] ? own : -1;
}

export const productRules: Readonly<Record<string, Rule>> = {
  MatMul: {
    tie: (step, ties) => {
      const [a, b] = step.inputs as [Value, Value];
      const { aRow, aSum, bSum, bColumn } = matMulAxes(step);
      const rank = step.output.shape.length;
      ties.same(step, a, aSum, b, bSum);
      ties.same(step, step.output, rank - 2, a, aRow);
      ties.same(step, step.output, rank - 1, b, bColumn);
      for (let axis = 0; axis < rank - 2; axis++)
        for (const factor of [a, b]) {
          const own = batchAxis(step, factor, axis);
          if (own < 0) continue;
          ties.same(step, step.output, axis, factor, own);
          if (factor.fixed) ties.role(factor, own, 'makes');
          if (!a.fixed && !b.fixed) ties.batched(factor, own);
        }
      for (const [factor, sum, free] of [[a, aSum, aRow], [b, bSum, bColumn]] as const) {
        if (!factor.fixed) continue;
        ties.role(factor, sum, 'reads');
        ties.role(factor, free, 'makes');
        if (factor.node.op === 'Constant') for (const axis of [sum, free]) ties.pin(step, factor, axis, 'constant');
      } // prettier-ignore
    },
    known: (step, [a, b]) => {
      const { output, inputs } = step;
      const rank = output.shape.length;
      const { aRow, bColumn } = matMulAxes(step);
      const axes = new Map<number, Float64Array>();
      // A product with zeros is zero.
      for (let axis = 0; axis < rank; axis++) {
        const own = [
          axis === rank - 1 ? -1 : axis === rank - 2 ? aRow : batchAxis(step, inputs[0]!, axis),
          axis === rank - 2 ? -1 : axis === rank - 1 ? bColumn : batchAxis(step, inputs[1]!, axis),
        ];
        const parts = [a!, b!].map((one, k) => (own[k]! < 0 ? null : one.axis(own[k]!)));
        axes.set(axis, Float64Array.from({ length: output.shape[axis]! }, (_, i) => (parts.some((part) => part?.[i] === 0) ? 0 : NaN))); // prettier-ignore
      }
      const contraction = contractionOf(step);
      const [x, kernel] = contraction?.kernel === inputs[0] ? [b!, a!] : [a!, b!];
      if (contraction && kernel.data) axes.set(contraction.outAxis, constantResults(contraction, x, kernel.data));
      return sliced(output.shape, axes, a!.whole === 0 || b!.whole === 0 ? 0 : NaN);
    },
    reads: (step, life) => {
      if (contractionReads(step, life)) return;
      const [a, b] = step.inputs as [Value, Value];
      const { aSum, bSum } = matMulAxes(step);
      const [p, q] = [life.known(a).axis(aSum), life.known(b).axis(bSum)];
      for (let k = 0; k < p.length; k++)
        if (p[k] !== 0 && q[k] !== 0) life.mark(a, aSum, k);
        else life.zero(a, aSum, k);
    },
  },
};
