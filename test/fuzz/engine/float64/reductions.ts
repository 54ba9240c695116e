/** Sums, extremes and normalisations along axes, in float64. */
import type { Node } from '../../../../daemon/network/ir.js';
import { type Compute, flag, number, numbers, sizeOf, stridesOf, walk } from './tensors.js';

/** Strides of the result along the input's axes: 0 along those that are reduced. */
function reducedStrides(node: Node): number[] {
  const { shape } = node.inputs[0]!;
  const axes = numbers(node, 'axes');
  const kept = stridesOf(shape.map((n, axis) => (axes.includes(axis) ? 1 : n)));
  return shape.map((_, axis) => (axes.includes(axis) ? 0 : kept[axis]!));
}

const reduce =
  (start: number, f: (sum: number, x: number) => number, scale: (count: number) => number = () => 1): Compute =>
  (node, [x]) => {
    const out = new Float64Array(sizeOf(node.shape)).fill(start);
    let i = 0;
    walk(node.inputs[0]!.shape, [reducedStrides(node)], ([at]) => (out[at!] = f(out[at!]!, x![i++]!)));
    const factor = scale(x!.length / out.length);
    return factor === 1 ? out : out.map((v) => v * factor);
  };

const argument =
  (better: (a: number, b: number) => boolean): Compute =>
  (node, [x]) => {
    const { shape } = node.inputs[0]!;
    const axis = number(node, 'axis');
    const inner = sizeOf(shape.slice(axis + 1));
    const out = new Float64Array(sizeOf(node.shape));
    for (let i = 0; i < out.length; i++) {
      const first = Math.floor(i / inner) * inner * shape[axis]! + (i % inner);
      let best = 0;
      for (let k = 1; k < shape[axis]!; k++) if (better(x![first + k * inner]!, x![first + best * inner]!)) best = k;
      out[i] = best;
    }
    return out;
  };

const softmax =
  (logarithm: boolean): Compute =>
  (node, [x]) => {
    const columns = node.shape.at(-1)!;
    const out = new Float64Array(x!.length);
    for (let row = 0; row < out.length; row += columns) {
      let [max, sum] = [-Infinity, 0];
      for (let i = row; i < row + columns; i++) max = Math.max(max, x![i]!);
      for (let i = row; i < row + columns; i++) sum += Math.exp(x![i]! - max);
      for (let i = row; i < row + columns; i++)
        out[i] = logarithm ? x![i]! - max - Math.log(sum) : Math.exp(x![i]! - max) / sum;
    }
    return out;
  };

const cumulativeSum: Compute = (node, [x]) => {
  const axis = number(node, 'axis');
  const inner = sizeOf(node.shape.slice(axis + 1));
  const length = node.shape[axis]!;
  const out = new Float64Array(x!.length);
  for (let line = 0; line < out.length / length; line++) {
    const first = Math.floor(line / inner) * inner * length + (line % inner);
    let sum = 0;
    for (let k = 0; k < length; k++) {
      const at = first + (flag(node, 'reverse') ? length - 1 - k : k) * inner;
      const before = sum;
      sum += x![at]!;
      out[at] = flag(node, 'exclusive') ? before : sum;
    }
  }
  return out;
};

export const reductions: Readonly<Record<string, Compute>> = {
  Sum: reduce(0, (sum, x) => sum + x),
  Mean: reduce(0, (sum, x) => sum + x, (count) => 1 / count), // prettier-ignore
  Max: reduce(-Infinity, Math.max),
  Min: reduce(Infinity, Math.min),
  Prod: reduce(1, (product, x) => product * x),
  ArgMax: argument((a, b) => a > b),
  ArgMin: argument((a, b) => a < b),
  Softmax: softmax(false),
  LogSoftmax: softmax(true),
  Cumsum: cumulativeSum,
};
