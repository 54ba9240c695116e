/** A kernel as a map from input channels to output channels, whatever else (taps of a filter) it sums over. */
import type { WeightTensor } from '../model.js';
import { sizeOf } from '../../protocol/shape.js';

export interface LinearMap {
  readonly kernel: WeightTensor;
  /** null for an embedding, whose input is an index. */
  readonly inputAxis: number | null;
  readonly outputAxis: number;
  /** If one filter of a single channel comes first (separable convolutions): the kernel reads the outputs of these filters. */
  readonly depthwise?: WeightTensor;
  readonly bias?: WeightTensor;
  readonly activation: (x: number) => number;
  /** Zero padding makes a constant input vary at the borders, unless it is 0. */
  readonly foldsZeroOnly: boolean;
}

/** Products of a channel that the kernel reads, and 1 for each that is not all zeros. */
function productsOf({ depthwise }: LinearMap): { multiplier: number; made: Uint8Array } | null {
  if (!depthwise) return null;
  const [channels, multiplier] = [depthwise.shape.at(-2)!, depthwise.shape.at(-1)!];
  const made = new Uint8Array(channels * multiplier);
  depthwise.data.forEach((w, i) => {
    if (w !== 0) made[i % made.length] = 1;
  });
  return { multiplier, made };
}

/**
 * Calls `visit(value, input channel, output channel, index)` for each kept (non-zero) weight whose input may be non-zero. Embeddings read channel 0.
 */
export function forEachKept(
  map: LinearMap,
  visit: (value: number, input: number, output: number, index: number) => void,
): void {
  const { inputAxis, outputAxis } = map;
  const { data, shape } = map.kernel;
  const products = productsOf(map);
  const [inputs, outputs] = [inputAxis === null ? 1 : shape[inputAxis]!, shape[outputAxis]!];
  const inputStride = inputAxis === null ? 1 : sizeOf(shape.slice(inputAxis + 1));
  const outputStride = sizeOf(shape.slice(outputAxis + 1));
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value === 0) continue;
    const input = Math.floor(i / inputStride) % inputs;
    const output = Math.floor(i / outputStride) % outputs;
    if (!products) visit(value, input, output, i);
    else if (products.made[input] === 1) visit(value, Math.floor(input / products.multiplier), output, i);
  }
}

/** Whether an input channel of this constant value (NaN: it varies) can be folded into the consumer's bias. */
export const folds = (map: LinearMap, constant: number): boolean =>
  map.inputAxis !== null && Number.isFinite(constant) && (constant === 0 || !map.foldsZeroOnly);

/** Constant value of each output channel that depends only on foldable constants; NaN otherwise. */
export function linearConstants(map: LinearMap, inputs: Float64Array): Float64Array {
  const sums = new Float64Array(map.kernel.shape[map.outputAxis]!);
  forEachKept(map, (value, input, output) => {
    const constant = inputs[input]!;
    if (!folds(map, constant)) sums[output] = NaN;
    else sums[output]! += value * constant;
  });
  return sums.map((sum, output) => (Number.isNaN(sum) ? NaN : map.activation(sum + (map.bias?.data[output] ?? 0))));
}
