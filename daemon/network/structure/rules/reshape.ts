import { sliced } from '../known.js';
import type { Rule } from '../rule.js';
import { place, segmentsOf } from '../segments.js';
import { sizeOf } from '../../../protocol/shape.js';

/** The rule of Reshape: axes are split into several, or several are merged. */

/** The constant of each index of `to` whose elements all come from indices with that constant. */
function moved(
  given: ArrayLike<number>,
  size: number,
  from: (flat: number) => number,
  to: (flat: number) => number,
  length: number,
): Float64Array {
  const result = new Float64Array(length);
  const seen = new Uint8Array(length);
  for (let flat = 0; flat < size; flat++) {
    const i = to(flat);
    const value = given[from(flat)]!;
    result[i] = seen[i] === 0 || result[i] === value ? value : NaN;
    seen[i] = 1;
  }
  return result;
}

export const reshapeRules: Readonly<Record<string, Rule>> = {
  Reshape: {
    tie: (step, ties) => {
      for (const segment of segmentsOf(step.inputs[0]!.shape, step.output.shape)) ties.reshape(step, segment);
    },
    known: ({ inputs, output }, [x]) => {
      const { shape } = inputs[0]!;
      const axes = new Map<number, ArrayLike<number>>();
      for (const { ins, outs } of segmentsOf(shape, output.shape)) {
        const size = sizeOf(ins.map((axis) => shape[axis]!));
        for (const out of outs) {
          const n = output.shape[out]!;
          const candidates = ins.map((axis) => moved(x!.axis(axis), size, place(shape, ins, axis), place(output.shape, outs, out), n)); // prettier-ignore
          // Each candidate is true by itself: if one axis gives no value, another may.
          axes.set(out, Float64Array.from({ length: n }, (_, i) => candidates.find((one) => !Number.isNaN(one[i]))?.[i] ?? NaN)); // prettier-ignore
        }
      }
      return sliced(output.shape, axes, x!.whole);
    },
  },
};
