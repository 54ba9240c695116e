/** The stable cross-entropies: on logits, with the gradient probability - target, which needs no derivative of the forward pass. */
import type * as Core from '@tensorflow/tfjs-core';
import { binaryOnLogits } from './elements.js';

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

/** Mean of -sum(y log softmax(z)) over the rows. @param weights of the rows, [..., 1]. */
export function softmaxCrossentropy(tf: typeof Core, z: Tensor, y: Tensor, weights: Tensor | undefined): Core.Scalar {
  const count = z.size / z.shape.at(-1)!;
  const losses = (logits: Tensor, labels: Tensor, c: Tensor | undefined) =>
    tf.mul(tf.sum(tf.mul(c ? tf.mul(labels, c) : labels, tf.logSoftmax(logits))), -1 / count);
  const given = weights ? [z, y, weights] : [z, y];
  return onLogits(tf, losses, (logits) => tf.softmax(logits), count)(...given) as Core.Scalar;
}

/** Mean of the binary cross-entropy of sigmoid(z) over the elements. @param weights of the rows, [..., 1]. */
export function sigmoidCrossentropy(tf: typeof Core, z: Tensor, y: Tensor, weights: Tensor | undefined): Core.Scalar {
  const losses = (logits: Tensor, labels: Tensor, c: Tensor | undefined) => {
    const each = binaryOnLogits.tensor(tf, logits, labels);
    return tf.mean(c ? tf.mul(c, each) : each);
  };
  const given = weights ? [z, y, weights] : [z, y];
  return onLogits(tf, losses, (logits) => tf.sigmoid(logits), z.size)(...given) as Core.Scalar;
}
