/** Weights that several classes have, named, ordered and shaped as TensorFlow.js creates them (tfjs-layers 4.22, the `build` of each class). */
import { channelsFirst, field, tupleAt, type Json } from '../../layers/layerConfig.js';
import { sizeOf, type Dim, type Shape } from '../../layers/shape.js';
import type { WeightPart } from '../layerClass.js';

export const kernel = (name: string, shape: Shape, uses: number): WeightPart => ({ name, shape, prunable: true, uses });
/** [..., channels, multiplier]: `multiplier` filters for each channel. */
export const depthwiseKernel = (shape: Shape, uses: number): WeightPart => ({
  ...kernel('depthwise_kernel', shape, uses),
  unitAxes: [shape.length - 2, shape.length],
});
export const vector = (name: string, ...shape: Dim[]): WeightPart => ({ name, shape, prunable: false, uses: 0 });
/** Never trained, whatever the layer's setting. */
export const statistic = (name: string, ...shape: Dim[]): WeightPart => ({
  ...vector(name, ...shape),
  statistic: true,
});
export const usesBias = (config: Json): boolean => field(config, 'use_bias') !== false;
export const withBias = (config: Json, size: Dim): WeightPart[] => (usesBias(config) ? [vector('bias', size)] : []);
/** Scale and centre of a normalisation. */
export const scaleAndCentre = (config: Json, ...shape: Dim[]): WeightPart[] => [
  ...(field(config, 'scale') !== false ? [vector('gamma', ...shape)] : []),
  ...(field(config, 'center') !== false ? [vector('beta', ...shape)] : []),
];

export const product = (...dims: Dim[]): Dim => sizeOf(dims);
/** Unknown sizes count as one, so that FLOPs are a lower bound. */
export const positions = (shape: Shape): number => shape.reduce<number>((n, dim) => n * (dim ?? 1), 1);

/** Size of the input's channel axis, where the config puts it. */
export const channelsIn = (config: Json, input: Shape | null): Dim =>
  input === null ? null : ((channelsFirst(config) ? input[0] : input.at(-1)) ?? null);
/** All positions of space and time. */
export const positionsOf = (config: Json, shape: Shape | null | undefined): number =>
  positions(shape == null ? [] : channelsFirst(config) ? shape.slice(1) : shape.slice(0, -1));
export const kernelSize = (config: Json, n: number): Dim[] =>
  tupleAt(config, 'kernel_size', n, 1) ?? new Array<Dim>(n).fill(null);
