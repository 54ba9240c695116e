/** Shape rules of layers that slide over space or time: convolutions, pooling, padding, cropping, upsampling. */
import { channelsFirst, field, numberAt, stringAt, tupleAt, type Json } from './layerConfig.js';

export type Dim = number | null;
export type Shape = readonly Dim[];
/** Outputs of a layer for its inputs. Never throws: what cannot be told is null. */
export type Rule = (config: Json, inputs: readonly (Shape | null)[]) => (Shape | null)[];

/** Product of the sizes; null when one is unknown. */
export const sizeOf = (shape: Shape): number | null =>
  shape.reduce<number | null>((product, dim) => (product === null || dim === null ? null : product * dim), 1);

/** A size that cannot be (a kernel larger than its input) is unknown. */
const positive = (size: number): Dim => (Number.isInteger(size) && size > 0 ? size : null);

function convolved(size: Dim, kernel: number, padding: string, stride: number, dilation = 1): Dim {
  if (size === null) return null;
  const covered = padding === 'same' || padding === 'causal' ? size : size - (kernel - 1) * dilation;
  return positive(Math.floor((covered + stride - 1) / stride));
}

function deconvolved(size: Dim, kernel: number, padding: string, stride: number): Dim {
  if (size === null) return null;
  return positive(padding === 'valid' ? size * stride + Math.max(kernel - stride, 0) : size * stride);
}

/** A rule for one input of the given rank (without batch); other inputs give null. */
export const on =
  (rank: number | null, shape: (config: Json, input: Shape) => Shape | null): Rule =>
  (config, [input]) => [
    input === null || input === undefined || (rank !== null && input.length !== rank) ? null : shape(config, input),
  ];

/** Applies `f` to each spatial axis and `channels` to the channel axis. */
function spatial(config: Json, input: Shape, f: (size: Dim, axis: number) => Dim, channels: (size: Dim) => Dim): Shape {
  const first = channelsFirst(config);
  return first
    ? [channels(input[0]!), ...input.slice(1).map((size, axis) => f(size, axis))]
    : [...input.slice(0, -1).map((size, axis) => f(size, axis)), channels(input.at(-1)!)];
}

export const convolution = (n: number, filters: (config: Json, channels: Dim) => Dim): Rule =>
  on(n + 1, (config, input) => {
    const kernel = tupleAt(config, 'kernel_size', n, 1);
    const strides = tupleAt(config, 'strides', n, 1);
    const dilation = tupleAt(config, 'dilation_rate', n, 1);
    if (!kernel || !strides || !dilation) return null;
    const padding = stringAt(config, 'padding') ?? 'valid';
    return spatial(
      config,
      input,
      (size, axis) => convolved(size, kernel[axis]!, padding, strides[axis]!, dilation[axis]!),
      (channels) => filters(config, channels),
    );
  });

export const transposed = (n: number): Rule =>
  on(n + 1, (config, input) => {
    const kernel = tupleAt(config, 'kernel_size', n, 1);
    const strides = tupleAt(config, 'strides', n, 1);
    if (!kernel || !strides) return null;
    const padding = stringAt(config, 'padding') ?? 'valid';
    return spatial(
      config,
      input,
      (size, axis) => deconvolved(size, kernel[axis]!, padding, strides[axis]!),
      () => numberAt(config, 'filters'),
    );
  });

export const pooling = (n: number): Rule =>
  on(n + 1, (config, input) => {
    const pool = tupleAt(config, 'pool_size', n, 2);
    const strides = field(config, 'strides') == null ? pool : tupleAt(config, 'strides', n, 1);
    if (!pool || !strides) return null;
    const padding = stringAt(config, 'padding') ?? 'valid';
    return spatial(
      config,
      input,
      (size, axis) => convolved(size, pool[axis]!, padding, strides[axis]!),
      (channels) => channels,
    );
  });

export const globalPooling = (n: number): Rule =>
  on(n + 1, (config, input) => [channelsFirst(config) ? input[0]! : input.at(-1)!]);

/** [[top, bottom], [left, right]] of a number, a pair, or a pair of pairs. */
function edges(value: unknown, fallback: number): number[][] | null {
  const given = value ?? fallback;
  if (typeof given === 'number')
    return [
      [given, given],
      [given, given],
    ];
  if (!Array.isArray(given) || given.length !== 2) return null;
  const pairs = (given as unknown[]).map((side) => (typeof side === 'number' ? [side, side] : side));
  return pairs.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((n) => typeof n === 'number'))
    ? (pairs as number[][])
    : null;
}

export const bordered = (key: string, fallback: number, sign: 1 | -1): Rule =>
  on(3, (config, input) => {
    const border = edges(field(config, key), fallback);
    if (!border) return null;
    return spatial(
      config,
      input,
      (size, axis) => (size === null ? null : positive(size + sign * (border[axis]![0]! + border[axis]![1]!))),
      (channels) => channels,
    );
  });

export const upsampling: Rule = on(3, (config, input) => {
  const size = tupleAt(config, 'size', 2, 2);
  return (
    size &&
    spatial(
      config,
      input,
      (dim, axis) => (dim === null ? null : dim * size[axis]!),
      (dim) => dim,
    )
  );
});
