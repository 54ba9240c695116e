import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Loss } from '../engine.js';
import type { Head } from '../../model/setup/loss.js';
import type { TensorFlow } from './tensorflow.js';

/**
 * The share of wrong answers in a batch: another class has the largest output. For a single output, and under the binary cross-entropy with several
 * yes/no targets, the share of a row's outputs on the wrong side of 1/2.
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
  const each = (): Tensor =>
    core.notEqual(core.greater(output, head === 'sigmoid' ? 0 : 0.5), core.greater(target, 0.5));
  const rows = (): Tensor => core.notEqual(core.argMax(output, -1), core.argMax(target, -1));
  const mean = (wrong: Tensor): Scalar => {
    const share = core.cast(wrong, 'float32');
    if (!mask) return core.mean(share);
    const ofRows = share.rank > mask.rank ? core.mean(share, -1) : share;
    return core.div(core.sum(core.mul(ofRows, mask)), core.maximum(core.sum(mask), 1));
  };
  if (output.shape.at(-1) === 1) return mean(each());
  if (loss !== 'binaryCrossentropy') return mean(rows());
  // A class among the outputs, or a yes/no for each: as in tally.ts.
  const one = core.logicalAnd(core.equal(core.sum(target, -1), 1), core.equal(core.max(target, -1), 1));
  const counted = mask ? core.logicalOr(one, core.equal(mask, 0)) : one;
  return core.where(core.all(counted), mean(rows()), mean(each()));
}

/** The user's model's outputs, from outputs before the head. */
export function activated({ core }: TensorFlow, head: Head, output: Tensor): Tensor {
  if (head === 'none') return output;
  return head === 'softmax' ? core.softmax(output) : core.sigmoid(output);
}
