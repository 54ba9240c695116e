/** Settings that many layers share, drawn at random. */
import type { Random } from '../../../../daemon/lc/random.js';
import type { Json } from '../../../../daemon/model/layers/layerConfig.js';
import { type Builder, chance, pick, type Tensor } from './builder.js';

/** Adds a layer after a tensor; undefined if it does not fit. */
export type Step = (b: Builder, x: Tensor) => Tensor | undefined;

const ACTIVATIONS = ['relu', 'relu6', 'tanh', 'sigmoid', 'hardSigmoid', 'elu', 'selu', 'softplus', 'softsign', 'swish', 'mish', 'gelu', 'softmax'] as const; // prettier-ignore

/** Linear and relu most often, as kernels fuse them. */
export function activation(random: Random): string {
  const p = random.next();
  if (p < 0.4) return 'linear';
  return p < 0.7 ? 'relu' : pick(random, ACTIVATIONS);
}

export const anyActivation = (random: Random): string => pick(random, ACTIVATIONS);

const regularizer = (random: Random): Json => ({
  class_name: 'L1L2',
  config: { l1: chance(random, 0.5) ? 0.01 : 0, l2: chance(random, 0.7) ? 0.02 : 0 },
});

/** Settings of a layer with a kernel: bias, activation, sometimes regularizers or frozen weights. */
export const kernelSettings = (random: Random, kernel = 'kernel'): Json => ({
  activation: activation(random),
  use_bias: chance(random, 0.75),
  ...(chance(random, 0.06) ? { [`${kernel}_regularizer`]: regularizer(random) } : {}),
  ...(chance(random, 0.03) ? { bias_regularizer: regularizer(random) } : {}),
  ...(chance(random, 0.03) ? { trainable: false } : {}),
});

export const padding = (random: Random): string => (chance(random, 0.5) ? 'same' : 'valid');

/** A window along each axis: small, or now and then as large as the input. */
export function windowOf(random: Random, sizes: readonly number[], whole = 0.1): number[] {
  const equal = chance(random, 0.6);
  const common = pick(random, [1, 2, 2, 3, 3, 4, 5]);
  const all = chance(random, whole);
  return sizes.map((n) => (all ? n : Math.min(n, equal ? common : pick(random, [1, 2, 3, 3, 4, 5, 7]))));
}

/** Strides along each axis: mostly 1, or the window, or something else that overlaps or skips. */
export function stridesFor(random: Random, window: readonly number[], one = 0.6): number[] {
  const p = random.next();
  if (p < one) return window.map(() => 1);
  if (p < one + 0.2) return [...window];
  const common = 1 + random.below(4);
  return window.map(() => (chance(random, 0.7) ? common : 1 + random.below(4)));
}

export const spatialSizes = (x: Tensor, first: boolean): number[] => [
  ...(first ? x.shape.slice(1) : x.shape.slice(0, -1)),
];

/** Channels first now and then. */
export const dataFormat = (first: boolean): Json => ({ data_format: first ? 'channels_first' : 'channels_last' });
