import { contractionOf, eachKept } from './contraction.js';
import type { Life } from './rule.js';
import type { Node } from '../ir.js';
import type { Step } from './values.js';

/** Whether zeros of a weight are zeros of the kernel: the kernel is the weight, or a part of it. */
const isPart = ({ op, inputs }: Node): boolean =>
  op === 'Input' || (['Reshape', 'Transpose', 'Slice', 'StridedSlice'].includes(op) && isPart(inputs[0]!));

/**
 * Marks the inputs of a product with a kernel that a live result depends on. An input is not needed if its weights are 0, or if it is
 * a constant that can be added elsewhere.
 * @returns false, without marking anything, if the step is no such product.
 */
export function contractionReads(step: Step, life: Life): boolean {
  const contraction = contractionOf(step);
  if (!contraction) return false;
  const { x, xAxis, kernel, kernelIn, out, outAxis } = contraction;
  const given = life.known(x).axis(xAxis);
  const weights = life.known(kernel);
  const free = Uint8Array.from(given, (constant, i) =>
    life.live(x, xAxis, i) || life.absorbs(step, constant) ? 1 : 0,
  );
  const needed = new Uint8Array(free.length);
  if (weights.data) {
    const live = Uint8Array.from({ length: out.shape[outAxis]! }, (_, i) => (life.live(out, outAxis, i) ? 1 : 0));
    eachKept(contraction, weights.data, (_value, input, output) => {
      if (live[output] === 1) needed[input] = 1;
    });
  } else {
    const slices = weights.axis(kernelIn);
    needed.forEach((_, i) => (needed[i] = slices[i] === 0 ? 0 : 1));
  }
  const part = isPart(kernel.node);
  needed.forEach((need, i) => {
    if (need === 1 && free[i] === 0) life.mark(x, xAxis, i);
    else if (!part) life.zero(x, xAxis, i);
  });
  return true;
}
