/** Tiny models of TensorFlow.js's own layers, and their loss and gradients by TensorFlow.js's own numbers. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import type { Loss } from '../../../../daemon/engine/engine.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import type { LayersModel, Topology } from '../../../../daemon/model/model.js';

export const normals = (n: number, seed: number, scale = 1): Float32Array => {
  const random = createRandom(seed);
  return Float32Array.from({ length: n }, () => scale * random.normal());
};

const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

/** Weights are random, variances positive. */
function randomWeight(name: string, size: number, seed: number): Float32Array {
  const values = normals(size, seed, 0.5);
  return /variance|gamma/.test(name) ? values.map((v) => 0.5 + Math.abs(v)) : values;
}

/** The model as if it was read from a file. Run within the cpu backend. */
export function toModel(layersModel: tfl.LayersModel): LayersModel {
  const json = layersModel.toJSON(undefined, false) as unknown as Topology;
  return {
    kind: 'layers',
    format: 'tfjs-layers',
    path: '/models/tiny/model.json',
    topology: { class_name: layersModel.getClassName(), config: json.config ?? json },
    weights: layersModel.weights.map(({ originalName, shape }, i) => ({
      name: originalName,
      shape: shape as number[],
      dtype: 'float32' as const,
      data: randomWeight(originalName, sizeOf(shape as number[]), 100 + i),
    })),
    notes: [],
  };
}

export async function onCpu(): Promise<void> {
  await tf.setBackend('cpu');
}

/** Loss straight from its definition, on the model's own output. */
function definition(loss: Loss, y: tf.Tensor, p: tf.Tensor): tf.Scalar {
  const d = () => tf.sub(p, y);
  switch (loss) {
    case 'categoricalCrossentropy':
    case 'sparseCategoricalCrossentropy':
      return tf.neg(tf.mean(tf.sum(tf.mul(y, tf.log(p)), -1)));
    case 'binaryCrossentropy':
      return tf.neg(tf.mean(tf.add(tf.mul(y, tf.log(p)), tf.mul(tf.sub(1, y), tf.log(tf.sub(1, p))))));
    case 'meanSquaredError':
      return tf.mean(tf.square(d()));
    case 'meanAbsoluteError':
      return tf.mean(tf.abs(d()));
    case 'huber':
      return tf.losses.huberLoss(y, p, undefined, 1) as tf.Scalar;
    case 'logCosh':
      return tf.mean(tf.log(tf.cosh(d())));
    case 'poisson':
      return tf.mean(tf.sub(p, tf.mul(y, tf.log(p))));
    case 'kullbackLeiblerDivergence':
      return tf.mean(tf.sum(tf.mul(y, tf.log(tf.div(y, p))), -1));
    case 'meanAbsolutePercentageError':
      return tf.mean(tf.mul(100, tf.abs(tf.div(d(), y))));
    case 'meanSquaredLogarithmicError':
      return tf.mean(tf.square(tf.sub(tf.log1p(p), tf.log1p(y))));
  }
}

export interface Reference {
  readonly loss: number;
  /** Values by weight name. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** Non-trainable weights after the step. */
  readonly states: ReadonlyMap<string, Float32Array>;
  /** Inference. */
  readonly output: Float32Array;
}

export function reference(
  layersModel: tfl.LayersModel,
  model: LayersModel,
  inputs: readonly Float32Array[],
  target: Float32Array,
  loss: Loss,
  batch: number,
): Reference {
  const values = new Map(model.weights.map(({ name, data }) => [name, data]));
  for (const weight of layersModel.weights)
    weight.write(tf.tensor(values.get(weight.originalName)!, weight.shape as number[]));
  const tensors = inputs.map((data, i) => tf.tensor(data, [batch, ...(layersModel.inputs[i]!.shape.slice(1) as number[])])); // prettier-ignore
  const x = tensors.length === 1 ? tensors[0]! : tensors;
  const output = (layersModel.apply(x, { training: false }) as tf.Tensor).dataSync() as Float32Array;
  const trainable = layersModel.trainableWeights;
  const { value, grads } = tf.variableGrads(
    () => {
      const p = layersModel.apply(x, { training: true }) as tf.Tensor;
      return definition(loss, tf.tensor(target, p.shape), p);
    },
    trainable.map((weight) => weight.read() as tf.Variable),
  );
  const read = (tensor: tf.Tensor) => Float32Array.from(tensor.dataSync());
  return {
    loss: value.dataSync()[0]!,
    gradients: new Map(trainable.map((w) => [w.originalName, read(grads[(w.read() as tf.Variable).name]!)])),
    states: new Map(layersModel.nonTrainableWeights.map((w) => [w.originalName, read(w.read())])),
    output: Float32Array.from(output),
  };
}

/** Targets that suit the loss: one-hot rows, bits, or any numbers. */
export function targets(loss: Loss, size: number, width: number, seed: number): Float32Array {
  const random = createRandom(seed);
  if (!/Crossentropy$/.test(loss)) return normals(size, seed);
  if (loss === 'binaryCrossentropy') return Float32Array.from({ length: size }, () => random.below(2));
  const y = new Float32Array(size);
  for (let row = 0; row < size; row += width) y[row + random.below(width)] = 1;
  return y;
}
