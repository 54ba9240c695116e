/** The loss of a batch as operations of TensorFlow.js: traced, or computed by it. */
import type * as Core from '@tensorflow/tfjs-core';
import type { LossSettings } from '../../model/setup/lossSettings.js';
import type { Loss } from '../engine.js';
import { binaryOnLogits, elementLoss, smoothingFloor } from './elements.js';
import type { Head } from '../../model/setup/loss.js';
import { EPSILON } from './epsilon.js';

type Tensor = Core.Tensor;

/**
 * The mean over the rows of a stable cross-entropy, each with a weight c of shape [..., 1] if there are weights. The gradient is c (p - y) / count,
 * without a derivative of the forward pass.
 * @param losses of every row (or element), @param probability p of the logits, @param count of rows (or elements).
 */
const onLogits = (
  tf: typeof Core,
  losses: (z: Tensor, y: Tensor, c: Tensor | undefined) => Tensor,
  probability: (z: Tensor) => Tensor,
  count: number,
) =>
  tf.customGrad((...given) => {
    const save = given.at(-1) as unknown as Core.GradSaveFunc;
    const [z, y, c] = given.slice(0, -1) as [Tensor, Tensor, Tensor?];
    save(c ? [z, y, c] : [z, y]);
    return {
      value: losses(z, y, c),
      gradFunc: (dy: Tensor, [logits, labels, weights]: Tensor[]) => {
        const difference = tf.sub(probability(logits!), labels!);
        const scaled = weights ? tf.mul(difference, weights) : difference;
        return [tf.mul(scaled, tf.mul(dy, 1 / count)), ...[labels, weights].flatMap((one) => (one ? [tf.zerosLike(one)] : []))];
      },
    };
  }); // prettier-ignore

/** Mean of -sum(y log softmax(z)). */
function softmaxCrossentropy(tf: typeof Core, z: Tensor, y: Tensor, weights: Tensor | undefined): Tensor {
  const count = z.size / z.shape.at(-1)!;
  const losses = (logits: Tensor, labels: Tensor, c: Tensor | undefined) =>
    tf.mul(tf.sum(tf.mul(c ? tf.mul(labels, c) : labels, tf.logSoftmax(logits))), -1 / count);
  return onLogits(tf, losses, (logits) => tf.softmax(logits), count)(...(weights ? [z, y, weights] : [z, y]));
}

/** Mean of the binary cross-entropy of sigmoid(z). */
function sigmoidCrossentropy(tf: typeof Core, z: Tensor, y: Tensor, weights: Tensor | undefined): Tensor {
  const losses = (logits: Tensor, labels: Tensor, c: Tensor | undefined) => {
    const each = binaryOnLogits.tensor(tf, logits, labels);
    return tf.mean(c ? tf.mul(c, each) : each);
  };
  return onLogits(tf, losses, (logits) => tf.sigmoid(logits), z.size)(...(weights ? [z, y, weights] : [z, y]));
}

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
 */
export function meanLoss(
  tf: typeof Core,
  { loss, head, settings = {}, classWeights }: BatchLoss,
  target: Tensor,
  output: Tensor,
  mask?: Tensor,
): Core.Scalar {
  // A row has its class's weight, however smoothing changes its target.
  const ofClass = classWeights && rowWeights(tf, target, classWeights);
  const counted = mask && maskWeights(tf, mask);
  const weights = ofClass && counted ? tf.mul(ofClass, counted) : (ofClass ?? counted);
  const { labelSmoothing = 0 } = settings;
  const y =
    labelSmoothing === 0
      ? target
      : tf.add(tf.mul(target, 1 - labelSmoothing), smoothingFloor(loss, labelSmoothing, target.shape.at(-1)!));
  if (head === 'softmax') return softmaxCrossentropy(tf, output, y, weights) as Core.Scalar;
  if (head === 'sigmoid') return sigmoidCrossentropy(tf, output, y, weights) as Core.Scalar;
  const mean = (losses: Tensor): Core.Scalar => tf.mean(weights ? tf.mul(losses, weights) : losses);
  const ofElement = elementLoss(loss, head, settings);
  if (ofElement) {
    const ofRow = mean(ofElement.tensor(tf, output, y));
    return ofElement.ofRow === 'sum' ? tf.mul(ofRow, target.shape.at(-1)!) : ofRow;
  }
  const normalised = tf.div(output, tf.sum(output, -1, true));
  const log = tf.log(tf.clipByValue(normalised, EPSILON, 1 - EPSILON));
  return tf.neg(mean(tf.sum(tf.mul(y, log), -1, weights !== undefined)));
}
