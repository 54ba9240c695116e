import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Loss } from '../engine.js';

/**
 * What stands between a model's last linear map and its loss. A softmax or sigmoid output under its cross-entropy is
 * computed from the logits, in the stable form whose gradient is (probability - target) / n, not through the clipped
 * logarithm of a probability. 'none': the loss takes the model's output as it is.
 */
export type Head = 'softmax' | 'sigmoid' | 'none';

interface Activated {
  activation?: { getClassName?(): string; apply(x: tf.Tensor): tf.Tensor };
  axis?: number;
}

const isCategorical = (loss: Loss) => loss === 'categoricalCrossentropy' || loss === 'sparseCategoricalCrossentropy';

/** The layer that gives output `index`, through nested models. */
function outputLayer(model: tfl.LayersModel, index: number): tfl.layers.Layer {
  const { outputLayers } = model as unknown as { outputLayers?: tfl.layers.Layer[] };
  const sequential = model.getClassName() === 'Sequential';
  const layer = sequential ? model.layers.at(-1)! : outputLayers![index]!;
  return 'layers' in layer ? outputLayer(layer as unknown as tfl.LayersModel, 0) : layer;
}

/**
 * Recognises the head of the model's output and, when it has one, runs `body` with that activation taken off, so that the
 * output is the logits. With `fromLogits` it is that already.
 */
export function withLogits<T>(
  model: tfl.LayersModel,
  index: number,
  { loss, fromLogits = false }: { readonly loss: Loss; readonly fromLogits?: boolean },
  body: (head: Head) => T,
): T {
  const layer = outputLayer(model, index) as tfl.layers.Layer & Activated;
  const wanted = isCategorical(loss) ? 'softmax' : loss === 'binaryCrossentropy' ? 'sigmoid' : 'none';
  if (fromLogits) return body(wanted);
  const usedOnce = layer.inboundNodes.length === 1;
  const lastAxis = layer.axis === undefined || layer.axis === -1;
  if (usedOnce && layer.activation?.getClassName?.() === wanted) {
    const { activation } = layer;
    const linear = { getClassName: () => 'linear', apply: (x: tf.Tensor) => x };
    layer.activation = linear;
    try {
      return body(wanted);
    } finally {
      layer.activation = activation;
    }
  }
  if (usedOnce && layer.getClassName() === 'Softmax' && wanted === 'softmax' && lastAxis) {
    const { call } = layer;
    layer.call = (inputs) => (Array.isArray(inputs) ? inputs[0]! : inputs);
    try {
      return body('softmax');
    } finally {
      layer.call = call;
    }
  }
  return body('none');
}

/** Mean over the samples of -sum(y log softmax(z)), and its gradient (softmax(z) sum(y) - y) / B. */
const softmaxCrossentropy = tf.customGrad((z, y, save) => {
  const [logits, target] = [z as tf.Tensor, y as tf.Tensor];
  (save as tf.GradSaveFunc)([logits, target]);
  const perClass = tf.mul(target, tf.logSoftmax(logits));
  const count = logits.size / logits.shape.at(-1)!;
  return {
    value: tf.mul(tf.sum(perClass), -1 / count),
    gradFunc: (dy: tf.Tensor, [saved, labels]: tf.Tensor[]) => [
      tf.mul(tf.sub(tf.softmax(saved!), labels!), tf.mul(dy, 1 / count)),
      tf.zerosLike(labels!),
    ],
  };
});

/** The same with a weight c for each row, of shape [..., 1]: the gradient is c (softmax(z) - y) / B. */
const weightedSoftmaxCrossentropy = tf.customGrad((z, y, c, save) => {
  const [logits, target, weights] = [z as tf.Tensor, y as tf.Tensor, c as tf.Tensor];
  (save as tf.GradSaveFunc)([logits, target, weights]);
  const perClass = tf.mul(tf.mul(target, weights), tf.logSoftmax(logits));
  const count = logits.size / logits.shape.at(-1)!;
  return {
    value: tf.mul(tf.sum(perClass), -1 / count),
    gradFunc: (dy: tf.Tensor, [saved, labels, scale]: tf.Tensor[]) => [
      tf.mul(tf.mul(tf.sub(tf.softmax(saved!), labels!), scale!), tf.mul(dy, 1 / count)),
      tf.zerosLike(labels!),
      tf.zerosLike(scale!),
    ],
  };
});

/** Of each element, max(z, 0) - z y + log(1 + exp(-|z|)). */
const stableSigmoidLoss = (logits: tf.Tensor, target: tf.Tensor): tf.Tensor =>
  tf.add(tf.sub(tf.relu(logits), tf.mul(logits, target)), tf.log1p(tf.exp(tf.neg(tf.abs(logits)))));

/** Its mean over all elements, and its gradient (sigmoid(z) - y) / n. */
const sigmoidCrossentropy = tf.customGrad((z, y, save) => {
  const [logits, target] = [z as tf.Tensor, y as tf.Tensor];
  (save as tf.GradSaveFunc)([logits, target]);
  return {
    value: tf.mean(stableSigmoidLoss(logits, target)),
    gradFunc: (dy: tf.Tensor, [saved, labels]: tf.Tensor[]) => [
      tf.mul(tf.sub(tf.sigmoid(saved!), labels!), tf.mul(dy, 1 / logits.size)),
      tf.zerosLike(labels!),
    ],
  };
});

/** The same with a weight c for each row, of shape [..., 1]: the gradient is c (sigmoid(z) - y) / n. */
const weightedSigmoidCrossentropy = tf.customGrad((z, y, c, save) => {
  const [logits, target, weights] = [z as tf.Tensor, y as tf.Tensor, c as tf.Tensor];
  (save as tf.GradSaveFunc)([logits, target, weights]);
  return {
    value: tf.mean(tf.mul(weights, stableSigmoidLoss(logits, target))),
    gradFunc: (dy: tf.Tensor, [saved, labels, scale]: tf.Tensor[]) => [
      tf.mul(tf.mul(tf.sub(tf.sigmoid(saved!), labels!), scale!), tf.mul(dy, 1 / logits.size)),
      tf.zerosLike(labels!),
      tf.zerosLike(scale!),
    ],
  };
});

/** Keras's epsilon: probabilities are clipped to [1e-7, 1 - 1e-7] before their logarithm. */
const clip = (p: tf.Tensor) => tf.clipByValue(p, 1e-7, 1 - 1e-7);

/** The weight of each row by its class, [..., 1]: sum_k y_k c_k; of a yes/no output c_no + y (c_yes - c_no). */
function rowWeights(target: tf.Tensor, classWeights: readonly number[]): tf.Tensor {
  if (target.shape.at(-1) !== 1) return tf.sum(tf.mul(target, tf.tensor1d([...classWeights])), -1, true);
  const [no, yes] = classWeights as readonly [number, number];
  return tf.add(tf.mul(target, yes - no), no);
}

/**
 * The mean loss over a batch, as a scalar. Targets are one-hot also for the sparse cross-entropy.
 * @param classWeights as SessionSpec has them.
 */
export function meanLoss(
  loss: Loss,
  head: Head,
  target: tf.Tensor,
  output: tf.Tensor,
  classWeights?: readonly number[],
): tf.Scalar {
  const weights = classWeights && rowWeights(target, classWeights);
  if (head === 'softmax')
    return (
      weights ? weightedSoftmaxCrossentropy(output, target, weights) : softmaxCrossentropy(output, target)
    ) as tf.Scalar;
  if (head === 'sigmoid')
    return (
      weights ? weightedSigmoidCrossentropy(output, target, weights) : sigmoidCrossentropy(output, target)
    ) as tf.Scalar;
  const mean = (losses: tf.Tensor): tf.Scalar => tf.mean(weights ? tf.mul(losses, weights) : losses);
  const difference = () => tf.sub(output, target);
  switch (loss) {
    case 'categoricalCrossentropy':
    case 'sparseCategoricalCrossentropy': {
      const normalised = tf.div(output, tf.sum(output, -1, true));
      const perRow = tf.sum(tf.mul(target, tf.log(clip(normalised))), -1, weights !== undefined);
      return tf.neg(mean(perRow));
    }
    case 'binaryCrossentropy': {
      const p = clip(output);
      const q = tf.sub(1, p);
      return tf.neg(mean(tf.add(tf.mul(target, tf.log(p)), tf.mul(tf.sub(1, target), tf.log(q)))));
    }
    case 'meanSquaredError':
      return mean(tf.square(difference()));
    case 'meanAbsoluteError':
      return mean(tf.abs(difference()));
    case 'huber': {
      // delta = 1, Keras's default.
      const size = tf.abs(difference());
      const near = tf.minimum(size, 1);
      return mean(tf.add(tf.mul(0.5, tf.square(near)), tf.sub(size, near)));
    }
  }
}
