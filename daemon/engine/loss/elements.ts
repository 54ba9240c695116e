/** The losses of single values, as defined by Keras 3.15 (losses/losses.py), each in float64 and as operations of TensorFlow.js. */
import type * as Core from '@tensorflow/tfjs-core';
import type { LossSettings } from '../../model/setup/lossSettings.js';
import type { Loss } from '../engine.js';
import type { Head } from '../../model/setup/loss.js';
import { EPSILON } from './epsilon.js';

type Tensor = Core.Tensor;

export interface ElementLoss {
  /** How a row's loss is computed from those of its elements. */
  readonly ofRow: 'mean' | 'sum';
  /** For an output z and its target y. */
  value(z: number, y: number): number;
  /** The same element-wise for tensors of one shape. */
  tensor(core: typeof Core, z: Tensor, y: Tensor): Tensor;
}

const clip = (p: number) => Math.min(Math.max(p, EPSILON), 1 - EPSILON);

/** For a logit: max(z, 0) - z y + log(1 + exp(-|z|)), whose exp never overflows. */
export const binaryOnLogits: ElementLoss = {
  ofRow: 'mean',
  value: (z, y) => Math.max(z, 0) - z * y + Math.log1p(Math.exp(-Math.abs(z))),
  tensor: (tf, z, y) => tf.add(tf.sub(tf.relu(z), tf.mul(z, y)), tf.log1p(tf.exp(tf.neg(tf.abs(z))))),
};

/** -y log p - (1 - y) log(1 - p). */
const binary: ElementLoss = {
  ofRow: 'mean',
  value: (z, y) => -y * Math.log(clip(z)) - (1 - y) * Math.log(1 - clip(z)),
  tensor(tf, z, y) {
    const p = tf.clipByValue(z, EPSILON, 1 - EPSILON);
    return tf.neg(tf.add(tf.mul(y, tf.log(p)), tf.mul(tf.sub(1, y), tf.log(tf.sub(1, p)))));
  },
};

const squaredError: ElementLoss = {
  ofRow: 'mean',
  value: (z, y) => (z - y) ** 2,
  tensor: (tf, z, y) => tf.square(tf.sub(z, y)),
};

const absoluteError: ElementLoss = {
  ofRow: 'mean',
  value: (z, y) => Math.abs(z - y),
  tensor: (tf, z, y) => tf.abs(tf.sub(z, y)),
};

/** e^2 / 2 up to |e| = delta, delta (|e| - delta / 2) beyond. */
const huber = (delta: number): ElementLoss => ({
  ofRow: 'mean',
  value(z, y) {
    const size = Math.abs(z - y);
    const near = Math.min(size, delta);
    return 0.5 * near * near + delta * (size - near);
  },
  tensor(tf, z, y) {
    const size = tf.abs(tf.sub(z, y));
    const near = tf.minimum(size, delta);
    const far = tf.sub(size, near);
    return tf.add(tf.mul(0.5, tf.square(near)), delta === 1 ? far : tf.mul(delta, far));
  },
});

/** log cosh e = |e| + log(1 + exp(-2|e|)) - log 2, whose exp never overflows. */
const logCosh: ElementLoss = {
  ofRow: 'mean',
  value(z, y) {
    const size = Math.abs(z - y);
    return size + Math.log1p(Math.exp(-2 * size)) - Math.LN2;
  },
  tensor(tf, z, y) {
    const size = tf.abs(tf.sub(z, y));
    return tf.sub(tf.add(size, tf.log1p(tf.exp(tf.mul(size, -2)))), Math.LN2);
  },
};

/** z - y log(z + epsilon). */
const poisson: ElementLoss = {
  ofRow: 'mean',
  value: (z, y) => z - y * Math.log(z + EPSILON),
  tensor: (tf, z, y) => tf.sub(z, tf.mul(y, tf.log(tf.add(z, EPSILON)))),
};

const atMostOne = (p: number) => Math.min(Math.max(p, EPSILON), 1);

/** y log(y / z), both within [epsilon, 1]. */
const kullbackLeibler: ElementLoss = {
  ofRow: 'sum',
  value: (z, y) => atMostOne(y) * Math.log(atMostOne(y) / atMostOne(z)),
  tensor(tf, z, y) {
    const target = tf.clipByValue(y, EPSILON, 1);
    return tf.mul(target, tf.sub(tf.log(target), tf.log(tf.clipByValue(z, EPSILON, 1))));
  },
};

/** 100 |z - y| / |y|. */
const percentageError: ElementLoss = {
  ofRow: 'mean',
  value: (z, y) => (100 * Math.abs(z - y)) / Math.max(Math.abs(y), EPSILON),
  tensor: (tf, z, y) => tf.mul(tf.div(tf.abs(tf.sub(z, y)), tf.maximum(tf.abs(y), EPSILON)), 100),
};

/** (log(1 + z) - log(1 + y))^2, with values clipped below at 0. */
const logarithmicError: ElementLoss = {
  ofRow: 'mean',
  value: (z, y) => (Math.log1p(Math.max(z, EPSILON)) - Math.log1p(Math.max(y, EPSILON))) ** 2,
  tensor(tf, z, y) {
    const log = (x: Tensor) => tf.log(tf.add(tf.maximum(x, EPSILON), 1));
    return tf.square(tf.sub(log(z), log(y)));
  },
};

/** null for the categorical cross-entropies, whose loss is defined on a whole row. */
export function elementLoss(loss: Loss, head: Head, { delta = 1 }: LossSettings = {}): ElementLoss | null {
  switch (loss) {
    case 'categoricalCrossentropy':
    case 'sparseCategoricalCrossentropy':
      return null;
    case 'binaryCrossentropy':
      return head === 'sigmoid' ? binaryOnLogits : binary;
    case 'meanSquaredError':
      return squaredError;
    case 'meanAbsoluteError':
      return absoluteError;
    case 'huber':
      return huber(delta);
    case 'logCosh':
      return logCosh;
    case 'poisson':
      return poisson;
    case 'kullbackLeiblerDivergence':
      return kullbackLeibler;
    case 'meanAbsolutePercentageError':
      return percentageError;
    case 'meanSquaredLogarithmicError':
      return logarithmicError;
  }
}

/** The value that smoothing adds to every target: towards uniform classes, or towards 1/2. */
export const smoothingFloor = (loss: Loss, smoothing: number, width: number): number =>
  smoothing / (loss === 'binaryCrossentropy' ? 2 : width);
