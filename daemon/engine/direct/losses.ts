import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Loss } from '../engine.js';
import { absorbedHead, type Head } from '../loss/head.js';
import type { TensorFlow } from './tensorflow.js';

/** Losses under which wrong answers are counted, unless a session says otherwise. */
export const isClassification = (loss: Loss): boolean => absorbedHead(loss) !== 'none';

/**
 * Wrong answers in a batch, as a count of samples: another class has the largest output. Binary: the share of a sample's
 * outputs that are on the wrong side of 1/2.
 * @param output before the head.
 */
export function wrongSamples({ core }: TensorFlow, loss: Loss, head: Head, target: Tensor, output: Tensor): Scalar {
  const wrong =
    loss === 'binaryCrossentropy' || output.shape.at(-1) === 1
      ? core.notEqual(core.greater(output, head === 'sigmoid' ? 0 : 0.5), core.greater(target, 0.5))
      : core.notEqual(core.argMax(output, -1), core.argMax(target, -1));
  return core.mul(core.mean(core.cast(wrong, 'float32')), output.shape[0]!);
}

/** Outputs as the user's model gives them, of outputs before the head. */
export function activated({ core }: TensorFlow, head: Head, output: Tensor): Tensor {
  if (head === 'none') return output;
  return head === 'softmax' ? core.softmax(output) : core.sigmoid(output);
}
