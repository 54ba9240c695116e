import type * as Core from '@tensorflow/tfjs-core';

type Tensor = Core.Tensor;

/** Wraps a function of x without gradient: TensorFlow.js has none for comparisons, and fails otherwise. */
function withoutGradient(tf: typeof Core, x: Tensor, compute: (x: Tensor) => Tensor): Tensor {
  return tf.customGrad((given, save) => {
    (save as Core.GradSaveFunc)([given as Tensor]);
    return {
      value: compute(given as Tensor),
      gradFunc: (_dy: Tensor, [saved]: Tensor[]) => tf.zerosLike(saved!),
    };
  })(x);
}

/** 1 for a token other than 0, else 0. */
export const tokenPresence = (tf: typeof Core, x: Tensor): Tensor =>
  withoutGradient(tf, x, (tokens) => tf.cast(tf.notEqual(tokens, tf.zerosLike(tokens)), 'float32'));

/** 1 if any number of a row (the last axis) differs from `value`, else 0. */
export const rowPresence = (tf: typeof Core, x: Tensor, value: number): Tensor =>
  withoutGradient(tf, x, (rows) => tf.cast(tf.any(tf.notEqual(rows, value), -1), 'float32'));
