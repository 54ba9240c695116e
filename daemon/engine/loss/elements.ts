/** The losses of single values, each in float64 and as operations of TensorFlow.js side by side. */
import type * as Core from '@tensorflow/tfjs-core';
import type { LossSettings } from '../../model/lossSettings.js';
import type { Loss } from '../engine.js';
import { EPSILON, type Head } from './head.js';

type Tensor = Core.Tensor;

export interface ElementLoss {
  /** Of an output z and its target y. */
  value(z: number, y: number): number;
  /** The same of every element; both of one shape. */
  tensor(core: typeof Core, z: Tensor, y: Tensor): Tensor;
}

const clip = (p: number) => Math.min(Math.max(p, EPSILON), 1 - EPSILON);

/** Of a logit: max(z, 0) - z y + log(1 + exp(-|z|)), whose exp never overflows. */
export const binaryOnLogits: ElementLoss = {
  value: (z, y) => Math.max(z, 0) - z * y + Math.log1p(Math.exp(-Math.abs(z))),
  tensor: (tf, z, y) => tf.add(tf.sub(tf.relu(z), tf.mul(z, y)), tf.log1p(tf.exp(tf.neg(tf.abs(z))))),
};

/** -y log p - (1 - y) log(1 - p). */
const binary: ElementLoss = {
  value: (z, y) => -y * Math.log(clip(z)) - (1 - y) * Math.log(1 - clip(z)),
  tensor(tf, z, y) {
    const p = tf.clipByValue(z, EPSILON, 1 - EPSILON);
    return tf.neg(tf.add(tf.mul(y, tf.log(p)), tf.mul(tf.sub(1, y), tf.log(tf.sub(1, p)))));
  },
};

const squaredError: ElementLoss = {
  value: (z, y) => (z - y) ** 2,
  tensor: (tf, z, y) => tf.square(tf.sub(z, y)),
};

const absoluteError: ElementLoss = {
  value: (z, y) => Math.abs(z - y),
  tensor: (tf, z, y) => tf.abs(tf.sub(z, y)),
};

/** e^2 / 2 up to |e| = delta, delta (|e| - delta / 2) beyond. */
const huber = (delta: number): ElementLoss => ({
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

/** null: of the categorical cross-entropies, whose loss is of a whole row. */
export function elementLoss(loss: Loss, head: Head, { delta = 1 }: LossSettings = {}): ElementLoss | null {
  if (loss === 'binaryCrossentropy') return head === 'sigmoid' ? binaryOnLogits : binary;
  if (loss === 'meanSquaredError') return squaredError;
  if (loss === 'meanAbsoluteError') return absoluteError;
  return loss === 'huber' ? huber(delta) : null;
}

/** What is added to every target by smoothing: towards even classes, or towards 1/2. */
export const smoothingFloor = (loss: Loss, smoothing: number, width: number): number =>
  smoothing / (loss === 'binaryCrossentropy' ? 2 : width);
