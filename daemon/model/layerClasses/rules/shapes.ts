/** Shape rules that several classes share, mainly those of windows over space or time. */
import { channelsFirst, numberAt, stringAt, tupleAt, type Json } from '../../layers/layerConfig.js';
import { positive, type Dim, type Shape } from '../../layers/shape.js';
import type { ShapeRule } from '../layerClass.js';

export const same: ShapeRule = (_config, inputs) => [inputs[0] ?? null];

/** A rule for one input of the given rank (without batch); other inputs give null. */
export const on =
  (rank: number | null, shape: (config: Json, input: Shape) => Shape | null): ShapeRule =>
  (config, [input]) => [
    input === null || input === undefined || (rank !== null && input.length !== rank) ? null : shape(config, input),
  ];

/** Applies `f` to each spatial axis and `channels` to the channel axis. */
export function spatial(
  config: Json,
  input: Shape,
  f: (size: Dim, axis: number) => Dim,
  channels: (size: Dim) => Dim = (size) => size,
): Shape {
  return channelsFirst(config)
    ? [channels(input[0]!), ...input.slice(1).map((size, axis) => f(size, axis))]
    : [...input.slice(0, -1).map((size, axis) => f(size, axis)), channels(input.at(-1)!)];
}

/** Number of windows that fit. */
export function windows(size: Dim, kernel: number, padding: string, stride: number, dilation = 1): Dim {
  if (size === null) return null;
  const covered = padding === 'same' || padding === 'causal' ? size : size - (kernel - 1) * dilation;
  return positive(Math.floor((covered + stride - 1) / stride));
}

export const filters = (config: Json): Dim => numberAt(config, 'filters');

/** Of a convolution over `n` axes. @param channels of its output. */
export const convolved = (n: number, channels: (config: Json, input: Dim) => Dim): ShapeRule =>
  on(n + 1, (config, input) => {
    const kernel = tupleAt(config, 'kernel_size', n, 1);
    const strides = tupleAt(config, 'strides', n, 1);
    const dilation = tupleAt(config, 'dilation_rate', n, 1);
    if (!kernel || !strides || !dilation) return null;
    const padding = stringAt(config, 'padding') ?? 'valid';
    return spatial(
      config,
      input,
      (size, axis) => windows(size, kernel[axis]!, padding, strides[axis]!, dilation[axis]!),
      (size) => channels(config, size),
    );
  });
