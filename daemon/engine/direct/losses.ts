import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Loss } from '../engine.js';
import type { Head } from '../loss/head.js';
import type { TensorFlow } from './tensorflow.js';

/**
 * The share of wrong answers in a batch: another class has the largest output. Binary: the share of a sample's
 * outputs that are on the wrong side of 1/2.
 * @param output before the head. @param mask of the rows: those of 0 are left out.
 * @returns the mean over the rows.
 */
export function wrongShare(
  { core }: TensorFlow,
  loss: Loss,
  head: Head,
  target: Tensor,
  output: Tensor,
  mask: Tensor | undefined,
): Scalar {
  const wrong =
    loss === 'binaryCrossentropy' || output.shape.at(-1) === 1
      ? core.notEqual(core.greater(output, head === 'sigmoid' ? 0 : 0.5), core.greater(target, 0.5))
      : core.notEqual(core.argMax(output, -1), core.argMax(target, -1));
  const each = core.cast(wrong, 'float32');
  if (!mask) return core.mean(each);
  const ofRows = each.rank > mask.rank ? core.mean(each, -1) : each;
  return core.div(core.sum(core.mul(ofRows, mask)), core.maximum(core.sum(mask), 1));
}

/** Outputs as the user's model gives them, of outputs before the head. */
export function activated({ core }: TensorFlow, head: Head, output: Tensor): Tensor {
  if (head === 'none') return output;
  return head === 'softmax' ? core.softmax(output) : core.sigmoid(output);
}
