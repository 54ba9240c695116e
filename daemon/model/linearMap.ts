/** A kernel as a map from input channels to output channels, whatever else (taps of a filter) it sums over. */
import type { WeightTensor } from './model.js';

export interface LinearMap {
  readonly kernel: WeightTensor;
  /** null for an embedding, whose input is an index. */
  readonly inputAxis: number | null;
  readonly outputAxis: number;
  readonly bias?: WeightTensor;
  readonly activation: (x: number) => number;
  /** Zero padding makes a constant input vary at the borders, unless it is 0. */
  readonly foldsZeroOnly: boolean;
}

const product = (dims: readonly number[]): number => dims.reduce((n, dim) => n * dim, 1);

/** Calls `visit(value, input channel, output channel, index)` for each kept (non-zero) weight. Embeddings read channel 0. */
export function forEachKept(
  { kernel: { data, shape }, inputAxis, outputAxis }: LinearMap,
  visit: (value: number, input: number, output: number, index: number) => void,
): void {
  const [inputs, outputs] = [inputAxis === null ? 1 : shape[inputAxis]!, shape[outputAxis]!];
  const inputStride = inputAxis === null ? 1 : product(shape.slice(inputAxis + 1));
  const outputStride = product(shape.slice(outputAxis + 1));
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value !== 0) visit(value, Math.floor(i / inputStride) % inputs, Math.floor(i / outputStride) % outputs, i);
  }
}

/** Whether a consumer can do without an input channel of this constant value (NaN: it varies). */
export const folds = (map: LinearMap, constant: number): boolean =>
  map.inputAxis !== null && Number.isFinite(constant) && (constant === 0 || !map.foldsZeroOnly);

/** Constant value of each output channel: of those that read only constants, and only such as fold; NaN otherwise. */
export function linearConstants(map: LinearMap, inputs: Float64Array): Float64Array {
  const sums = new Float64Array(map.kernel.shape[map.outputAxis]!);
  forEachKept(map, (value, input, output) => {
    const constant = inputs[input]!;
    if (!folds(map, constant)) sums[output] = NaN;
    else sums[output]! += value * constant;
  });
  return sums.map((sum, output) => (Number.isNaN(sum) ? NaN : map.activation(sum + (map.bias?.data[output] ?? 0))));
}
