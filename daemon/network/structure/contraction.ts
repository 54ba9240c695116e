import type { Known } from './known.js';
import type { Step, Value } from './values.js';
import { sizeOf } from '../../protocol/shape.js';

/** A product with a kernel: how a result depends on an input, channel by channel. Taps of a filter are summed. */
export interface Contraction {
  readonly x: Value;
  readonly xAxis: number;
  readonly kernel: Value;
  readonly kernelIn: number;
  readonly kernelOut: number;
  readonly out: Value;
  readonly outAxis: number;
  /** Windows cover borders: a constant input adds the same everywhere only if it is 0. */
  readonly zeroOnly: boolean;
}

/** The axes of the factors of a MatMul. */
export function matMulAxes({ node, inputs: [a, b] }: Step) {
  const { transposeA, transposeB } = node.attrs;
  const [p, q] = [a!.shape.length, b!.shape.length];
  return {
    aRow: p - (transposeA ? 1 : 2),
    aSum: p - (transposeA ? 2 : 1),
    bSum: q - (transposeB ? 1 : 2),
    bColumn: q - (transposeB ? 2 : 1),
  };
}

function ofMatMul(step: Step): Contraction | null {
  const { output } = step;
  const [a, b] = step.inputs as [Value, Value];
  const { aRow, aSum, bSum, bColumn } = matMulAxes(step);
  const rank = output.shape.length;
  if (b.fixed && b.shape.length === 2)
    return { x: a, xAxis: aSum, kernel: b, kernelIn: bSum, kernelOut: bColumn, out: output, outAxis: rank - 1, zeroOnly: false }; // prettier-ignore
  if (a.fixed && a.shape.length === 2)
    return { x: b, xAxis: bSum, kernel: a, kernelIn: aSum, kernelOut: aRow, out: output, outAxis: rank - 2, zeroOnly: false }; // prettier-ignore
  return null;
}

/** The contraction that a step computes; null if it is no contraction, both factors are activations, or they have more axes. */
export function contractionOf(step: Step): Contraction | null {
  const { node, inputs, output } = step;
  const [x, kernel] = inputs as [Value, Value];
  if (node.op === 'MatMul') return ofMatMul(step);
  const common = { x, xAxis: 3, kernel, out: output, outAxis: 3 };
  const pads = node.attrs['pads'] as readonly number[] | undefined;
  if (node.op === 'Conv2D') return { ...common, kernelIn: 2, kernelOut: 3, zeroOnly: pads!.some((n) => n > 0) };
  if (node.op === 'Conv2DBackpropInput') return { ...common, kernelIn: 3, kernelOut: 2, zeroOnly: true };
  return null;
}

/** Calls `visit(value, input, output)` for each weight of the kernel that is not 0. */
export function eachKept(
  { kernel, kernelIn, kernelOut }: Contraction,
  data: ArrayLike<number>,
  visit: (value: number, input: number, output: number) => void,
): void {
  const { shape } = kernel;
  const [inputs, outputs] = [shape[kernelIn]!, shape[kernelOut]!];
  const inner = sizeOf(shape.slice(kernelIn + 1));
  const outer = sizeOf(shape.slice(kernelOut + 1));
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value !== 0) visit(value, Math.floor(i / inner) % inputs, Math.floor(i / outer) % outputs);
  }
}

/** For each result its constant value, if all channels that it reads are constant and add the same everywhere. */
export function constantResults(contraction: Contraction, x: Known, weights: ArrayLike<number>): Float64Array {
  const { kernel, kernelOut, xAxis, zeroOnly } = contraction;
  const sums = new Float64Array(kernel.shape[kernelOut]!);
  const given = x.axis(xAxis);
  eachKept(contraction, weights, (value, input, output) => {
    const constant = given[input]!;
    sums[output]! += constant === 0 ? 0 : zeroOnly ? NaN : value * constant;
  });
  return sums;
}
