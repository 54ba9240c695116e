import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Loss } from '../engine.js';
import type { TensorFlow } from './tensorflow.js';

/** Activation that a loss absorbs: it is then computed on the logits. */
export const absorbedActivation: Partial<Record<Loss, 'softmax' | 'sigmoid'>> = {
  categoricalCrossentropy: 'softmax',
  sparseCategoricalCrossentropy: 'softmax',
  binaryCrossentropy: 'sigmoid',
};

/** TensorFlow.js's and Keras's own epsilon for probabilities. */
const epsilon = 1e-7;

/** The weight of each row of targets by its class, [..., 1], as SessionSpec.classWeights says. */
function rowWeights({ core }: TensorFlow, target: Tensor, classWeights: readonly number[]): Tensor {
  if (target.shape.at(-1) !== 1) return core.sum(core.mul(target, core.tensor1d([...classWeights])), -1, true);
  const [no, yes] = classWeights as readonly [number, number];
  return core.add(core.mul(target, yes - no), no);
}

/**
 * The mean loss of a batch. Targets are one-hot for both categorical forms (the sparse one is a file's way of storing
 * labels, and labels become one-hot when the data is read).
 *
 * @param target, output of one shape, [batch, ...]; output holds logits if `onLogits`.
 * @param classWeights as SessionSpec has them.
 */
export function meanLoss(
  tf: TensorFlow,
  loss: Loss,
  onLogits: boolean,
  target: Tensor,
  output: Tensor,
  classWeights?: readonly number[],
): Scalar {
  const { core } = tf;
  const weights = classWeights && rowWeights(tf, target, classWeights);
  const mean = (losses: Tensor): Scalar => core.mean(weights ? core.mul(losses, weights) : losses);
  switch (loss) {
    case 'categoricalCrossentropy':
    case 'sparseCategoricalCrossentropy': {
      const log = onLogits
        ? core.logSoftmax(output)
        : core.log(core.clipByValue(core.div(output, core.sum(output, -1, true)), epsilon, 1 - epsilon));
      return core.neg(mean(core.sum(core.mul(target, log), -1, weights !== undefined)));
    }
    case 'binaryCrossentropy': {
      if (!onLogits) {
        const p = core.clipByValue(output, epsilon, 1 - epsilon);
        const other = core.mul(core.sub(1, target), core.log(core.sub(1, p)));
        return core.neg(mean(core.add(core.mul(target, core.log(p)), other)));
      }
      // max(x, 0) - x z + log(1 + exp(-|x|)): exp never overflows.
      const soft = core.log1p(core.exp(core.neg(core.abs(output))));
      return mean(core.add(core.sub(core.relu(output), core.mul(output, target)), soft));
    }
    case 'meanSquaredError':
      return mean(core.square(core.sub(output, target)));
    case 'meanAbsoluteError':
      return mean(core.abs(core.sub(output, target)));
    case 'huber': {
      // delta = 1, as in Keras.
      const error = core.abs(core.sub(output, target));
      const quadratic = core.minimum(error, 1);
      return mean(core.add(core.mul(0.5, core.square(quadratic)), core.sub(error, quadratic)));
    }
  }
}

/** Losses under which wrong answers are counted, unless a session says otherwise. */
export const isClassification = (loss: Loss): boolean => absorbedActivation[loss] !== undefined;

/**
 * Wrong answers in a batch, as a count of samples: another class has the largest output. Binary: the share of a sample's
 * outputs that are on the wrong side of 1/2.
 */
export function wrongSamples(
  { core }: TensorFlow,
  loss: Loss,
  onLogits: boolean,
  target: Tensor,
  output: Tensor,
): Scalar {
  const wrong =
    loss === 'binaryCrossentropy' || output.shape.at(-1) === 1
      ? core.notEqual(core.greater(output, onLogits ? 0 : 0.5), core.greater(target, 0.5))
      : core.notEqual(core.argMax(output, -1), core.argMax(target, -1));
  return core.mul(core.mean(core.cast(wrong, 'float32')), output.shape[0]!);
}

/** Outputs as the user's model gives them. */
export function activated({ core }: TensorFlow, loss: Loss, onLogits: boolean, output: Tensor): Tensor {
  if (!onLogits) return output;
  return absorbedActivation[loss] === 'softmax' ? core.softmax(output) : core.sigmoid(output);
}
