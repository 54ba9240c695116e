import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { concatenated } from '../../lc/concatenated.js';
import { activate, type TensorFlow } from './tensorflow.js';

/** The values of tensors, concatenated. */
export async function readTensors(tf: TensorFlow, tensors: readonly Tensor[]): Promise<Float32Array> {
  activate(tf);
  return concatenated(await Promise.all(tensors.map((tensor) => tensor.data<'float32'>())));
}

/** @throws RangeError if the number of values differs from that of the variables. */
export function writeVariables(tf: TensorFlow, variables: readonly Variable[], flat: Float32Array): void {
  const size = variables.reduce((sum, variable) => sum + variable.size, 0);
  if (flat.length !== size) throw new RangeError(`${flat.length} values for ${size} weights`);
  activate(tf);
  let at = 0;
  for (const variable of variables) {
    const part = flat.slice(at, (at += variable.size));
    tf.core.tidy(() => variable.assign(tf.core.tensor(part, variable.shape, variable.dtype)));
  }
}
