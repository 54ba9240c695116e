/** The loss of a batch as operations of TensorFlow.js: traced, or computed by it. */
import type * as Core from '@tensorflow/tfjs-core';
import type { LossSettings } from '../../model/setup/lossSettings.js';
import type { Loss, Taught } from '../engine.js';
import { sigmoidCrossentropy, softmaxCrossentropy } from './crossEntropies.js';
import { elementLoss, smoothingFloor } from './elements.js';
import type { Head } from '../../model/setup/loss.js';
import { EPSILON } from './epsilon.js';
import { divergence, hasTemperature } from './taught.js';

type Tensor = Core.Tensor;

/** The weight of each row by its class, [..., 1]: sum_k y_k c_k; for a yes/no output c_no + y (c_yes - c_no). */
function rowWeights(tf: typeof Core, target: Tensor, classWeights: readonly number[]): Tensor {
  if (target.shape.at(-1) !== 1) return tf.sum(tf.mul(target, tf.tensor1d([...classWeights])), -1, true);
  const [no, yes] = classWeights as readonly [number, number];
  return tf.add(tf.mul(target, yes - no), no);
}

/** [..., 1]: rows / rows that count, or 0, so that the mean over all rows is that over those that count. */
const maskWeights = (tf: typeof Core, mask: Tensor): Tensor =>
  tf.expandDims(tf.mul(mask, tf.div(mask.size, tf.maximum(tf.sum(mask), 1))), -1);

export interface BatchLoss {
  readonly loss: Loss;
  readonly head: Head;
  readonly settings?: LossSettings;
  /** As in SessionSpec. */
  readonly classWeights?: readonly number[];
}

/**
 * The mean loss over a batch, as a scalar. Targets are one-hot also for the sparse cross-entropy (that is a file's way of storing labels, and labels
 * become one-hot when the data is read).
 * @param tf the instance of target and output.
 * @param target, output of one shape, [batch, ...]; output is before the head.
 * @param mask 1 for each row that counts, else 0: the mean is over those, 0 if there are none (Keras 3, apply_mask in losses/loss.py). Of all axes
 * but the last one.
 * @param taught by a teacher, with its targets: of the same shape, softened.
 */
export function meanLoss(
  tf: typeof Core,
  { loss, head, settings = {}, classWeights }: BatchLoss,
  target: Tensor,
  output: Tensor,
  mask?: Tensor,
  taught?: Taught & { readonly target: Tensor },
): Core.Scalar {
  // A row has its class's weight, however smoothing changes its target.
  const ofClass = classWeights && rowWeights(tf, target, classWeights);
  const counted = mask && maskWeights(tf, mask);
  const weights = ofClass && counted ? tf.mul(ofClass, counted) : (ofClass ?? counted);
  const { labelSmoothing = 0 } = settings;
  const ofTarget = (): Core.Scalar => {
    const y =
      labelSmoothing === 0
        ? target
        : tf.add(tf.mul(target, 1 - labelSmoothing), smoothingFloor(loss, labelSmoothing, target.shape.at(-1)!));
    return meanOfRows(tf, { loss, head, settings }, y, output, weights);
  };
  if (!taught) return ofTarget();
  const { weight, temperature } = taught;
  const ofTeacher = hasTemperature(loss)
    ? divergence(tf, { loss, head, temperature }, taught.target, output, weights)
    : meanOfRows(tf, { loss, head, settings }, taught.target, output, weights);
  return weight === 1 ? ofTeacher : tf.add(tf.mul(ofTarget(), 1 - weight), tf.mul(ofTeacher, weight));
}

/** @param y the targets as the loss takes them. @param weights of the rows, [..., 1]. */
function meanOfRows(
  tf: typeof Core,
  { loss, head, settings }: Required<Pick<BatchLoss, 'loss' | 'head' | 'settings'>>,
  y: Tensor,
  output: Tensor,
  weights: Tensor | undefined,
): Core.Scalar {
  if (head === 'softmax') return softmaxCrossentropy(tf, output, y, weights);
  if (head === 'sigmoid') return sigmoidCrossentropy(tf, output, y, weights);
  const mean = (losses: Tensor): Core.Scalar => tf.mean(weights ? tf.mul(losses, weights) : losses);
  const ofElement = elementLoss(loss, head, settings);
  if (ofElement) {
    const ofRow = mean(ofElement.tensor(tf, output, y));
    return ofElement.ofRow === 'sum' ? tf.mul(ofRow, y.shape.at(-1)!) : ofRow;
  }
  const normalised = tf.div(output, tf.sum(output, -1, true));
  const log = tf.log(tf.clipByValue(normalised, EPSILON, 1 - EPSILON));
  return tf.neg(mean(tf.sum(tf.mul(y, log), -1, weights !== undefined)));
}
