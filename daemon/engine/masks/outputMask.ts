/** The mask of a model's output: which of its rows (samples, or steps of a sequence) losses and errors count. */
import type * as Core from '@tensorflow/tfjs-core';
import { UserError } from '../../protocol/errors.js';
import type { Masks } from './followMasks.js';

/**
 * @returns [batch, ...], all axes of the output but the last one; undefined if every row counts.
 * @throws UserError('model-unsupported') if the mask has other axes.
 */
export function outputMask(masks: Masks, output: Core.Tensor): Core.Tensor | undefined {
  const mask = masks.of(output);
  if (!mask) return undefined;
  const fits = mask.rank === output.rank - 1 && mask.shape.every((n, axis) => n === output.shape[axis]);
  if (!fits)
    throw new UserError(
      'model-unsupported',
      `the output [${output.shape.slice(1)}] carries a mask of [${mask.shape.slice(1)}] steps, which fits no loss; end the mask before the last layers (with a Reshape or Flatten)`,
    );
  return mask;
}
