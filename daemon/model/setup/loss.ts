/** The losses that a model is trained with, and how each treats the activation of the output before it. */

export type Loss =
  | 'categoricalCrossentropy'
  | 'sparseCategoricalCrossentropy'
  | 'binaryCrossentropy'
  | 'meanSquaredError'
  | 'meanAbsoluteError'
  | 'huber'
  | 'logCosh'
  | 'poisson'
  | 'kullbackLeiblerDivergence'
  | 'meanAbsolutePercentageError'
  | 'meanSquaredLogarithmicError';

/**
 * The function between a model's last linear map and its loss. A softmax or sigmoid output under its cross-entropy is computed from the logits, in
 * the stable form whose gradient is (probability - target) / n, not through the clipped logarithm of a probability. 'none': the loss takes the
 * model's output as it is.
 */
export type Head = 'softmax' | 'sigmoid' | 'none';

/** The activation that a loss includes: the loss is then computed on the logits. */
export function absorbedHead(loss: Loss): Head {
  if (loss === 'binaryCrossentropy') return 'sigmoid';
  return loss === 'categoricalCrossentropy' || loss === 'sparseCategoricalCrossentropy' ? 'softmax' : 'none';
}
