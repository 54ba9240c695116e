/** Random pruned networks over every layer that thinning follows, and TensorFlow.js's own predictions of them. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-cpu';
import { createRandom, type Random } from '../../../daemon/lc/random.js';
import type { LayersModel, Topology, WeightTensor } from '../../../daemon/model/model.js';

const L = tfl.layers;
type Symbolic = tfl.SymbolicTensor;

const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)]!;
const chance = (random: Random, p: number): boolean => random.next() < p;
const ACTIVATIONS = ['linear', 'relu', 'relu6', 'tanh', 'sigmoid', 'hardSigmoid', 'elu', 'selu', 'softplus', 'softsign', 'swish', 'mish', 'gelu', 'softmax'] as const; // prettier-ignore
const activation = (random: Random) => pick(random, ACTIVATIONS) as 'relu';
/** An embedding's vocabulary. */
const TOKENS = 6;
const channels = (x: Symbolic): number => x.shape.at(-1)!;
const common = { kernelInitializer: 'zeros', biasInitializer: 'zeros' } as const;

function elementwise(random: Random): tfl.layers.Layer {
  return pick<() => tfl.layers.Layer>(random, [
    () => L.activation({ activation: activation(random) }),
    () => L.reLU(chance(random, 0.5) ? { maxValue: 1.5 } : {}),
    () => L.leakyReLU({ alpha: 0.2 }),
    () => L.elu({ alpha: 1 }),
    () => L.thresholdedReLU({ theta: 0.3 }),
    () => L.prelu({ alphaInitializer: 'zeros' }),
    () => L.dropout({ rate: 0.5 }),
    () => L.batchNormalization({ epsilon: 0.01, center: chance(random, 0.7), scale: chance(random, 0.7) }),
    () => L.layerNormalization(),
  ])();
}

const dense = (random: Random, units: number) =>
  L.dense({ units, activation: activation(random), useBias: chance(random, 0.7), ...common });

function convolution(random: Random, filters: number, padding: 'same' | 'valid') {
  const kernelSize = pick(random, [1, 2, 3]);
  return L.conv2d({ filters, kernelSize, padding, activation: activation(random), useBias: chance(random, 0.7), ...common }); // prettier-ignore
}

/** A residual block, or a fork joined by a merge; the same shape out as in. */
function fork(random: Random, x: Symbolic, image: boolean): Symbolic {
  const n = channels(x);
  const branch = () => (image ? convolution(random, n, 'same') : dense(random, n)).apply(x) as Symbolic;
  const other = chance(random, 0.5) ? x : branch();
  const merge = pick<() => tfl.layers.Layer>(random, [
    () => L.add(),
    () => L.add(),
    () => L.multiply(),
    () => L.average(),
    () => L.maximum(),
    () => L.minimum(),
    () => L.concatenate(),
    () => L.concatenate({ axis: 1 }),
  ])();
  return merge.apply([branch(), other]) as Symbolic;
}

/** A nested model, called once. */
function nested(random: Random, x: Symbolic): Symbolic {
  const [first, last] = [dense(random, 3 + random.below(3)), dense(random, 2 + random.below(4))];
  if (chance(random, 0.5)) {
    const inner = tfl.sequential();
    inner.add(L.dense({ units: 4, activation: activation(random), batchInputShape: x.shape, ...common }));
    inner.add(last);
    return inner.apply(x) as Symbolic;
  }
  const input = tfl.input({ batchShape: x.shape });
  const output = last.apply(first.apply(input)) as Symbolic;
  return tfl.model({ inputs: input, outputs: output }).apply(x) as Symbolic;
}

function recurrent(random: Random, returnSequences = true): tfl.RNN {
  const make = pick(random, [L.simpleRNN, L.gru, L.lstm] as const);
  const start = { ...common, recurrentInitializer: 'zeros' } as const;
  const recurrentActivation = pick(random, ['sigmoid', 'hardSigmoid'] as const);
  return make({
    units: 2 + random.below(3),
    returnSequences,
    useBias: chance(random, 0.7),
    recurrentActivation,
    ...start,
  });
}

const spatial = (x: Symbolic): number => Math.min(x.shape[1]!, x.shape[2]!);

function imageLayer(random: Random, x: Symbolic): Symbolic {
  const padding = pick(random, ['same', 'valid'] as const);
  const steps: (() => Symbolic)[] = [
    () => elementwise(random).apply(x) as Symbolic,
    () => convolution(random, 2 + random.below(5), spatial(x) > 3 ? padding : 'same').apply(x) as Symbolic,
    () => convolution(random, 2 + random.below(5), spatial(x) > 3 ? 'valid' : 'same').apply(x) as Symbolic,
    () => fork(random, x, true),
    () => L.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 1 + random.below(2), padding: spatial(x) > 2 ? padding : 'same', activation: activation(random), useBias: chance(random, 0.5), depthwiseInitializer: 'zeros' }).apply(x) as Symbolic,
    () => L.conv2dTranspose({ filters: 3, kernelSize: 2, strides: 1, activation: activation(random), ...common }).apply(x) as Symbolic,
    () => (chance(random, 0.5) ? L.maxPooling2d : L.averagePooling2d)({ poolSize: 2, strides: 1, padding: 'same' }).apply(x) as Symbolic,
    () => L.zeroPadding2d({ padding: 1 }).apply(x) as Symbolic,
    // Channels-first on a channels-last tensor: pads the channels.
    () => L.zeroPadding2d({ padding: [[0, 0], [1, 2]], dataFormat: 'channelsFirst' }).apply(x) as Symbolic,
    () => L.cropping2D({ cropping: spatial(x) > 2 ? [[1, 0], [0, 1]] : [[0, 0], [0, 0]], dataFormat: 'channelsLast' }).apply(x) as Symbolic,
    () => L.upSampling2d({ size: spatial(x) > 4 ? [1, 1] : [2, 1], dataFormat: 'channelsLast' }).apply(x) as Symbolic,
    () => L.separableConv2d({ filters: 3, kernelSize: spatial(x) > 2 ? 2 : 1, padding, activation: activation(random), useBias: chance(random, 0.7), depthwiseInitializer: 'zeros', pointwiseInitializer: 'zeros', biasInitializer: 'zeros' }).apply(x) as Symbolic,
  ]; // prettier-ignore
  return pick(random, steps)();
}

function sequenceLayer(random: Random, x: Symbolic): Symbolic {
  return pick<() => Symbolic>(random, [
    () => L.conv1d({ filters: 3, kernelSize: 2, padding: pick(random, ['same', 'valid'] as const), activation: activation(random), ...common }).apply(x) as Symbolic,
    () => dense(random, 2 + random.below(4)).apply(x) as Symbolic,
    () => elementwise(random).apply(x) as Symbolic,
    () => L.maxPooling1d({ poolSize: 2, strides: 1, padding: 'same' }).apply(x) as Symbolic,
    () => fork(random, x, false),
    () => recurrent(random).apply(x) as Symbolic,
    () => L.bidirectional({ layer: recurrent(random), mergeMode: pick(random, ['concat', 'sum', 'mul', 'ave'] as const) }).apply(x) as Symbolic,
    () => L.timeDistributed({ layer: dense(random, 3) }).apply(x) as Symbolic,
    () => L.permute({ dims: [2, 1] }).apply(x) as Symbolic,
  ])(); // prettier-ignore
}

/** Reduces a sequence to a vector. */
function sequenceEnd(random: Random, x: Symbolic): Symbolic {
  return pick<() => tfl.layers.Layer>(random, [
    () => L.flatten(),
    () => L.globalAveragePooling1d({}),
    () => L.globalMaxPooling1d({}),
    () => recurrent(random, false),
    () => L.reshape({ targetShape: [x.shape[1]! * x.shape[2]!] }),
  ])().apply(x) as Symbolic;
}

function vectorLayer(random: Random, x: Symbolic): Symbolic {
  return pick<() => Symbolic>(random, [
    () => dense(random, 2 + random.below(6)).apply(x) as Symbolic,
    () => dense(random, 2 + random.below(6)).apply(x) as Symbolic,
    () => elementwise(random).apply(x) as Symbolic,
    () => fork(random, x, false),
    () => nested(random, x),
  ])();
}

function build(random: Random): tfl.LayersModel {
  const kind = pick(random, ['vector', 'vector', 'image', 'image', 'image', 'sequence', 'sequence', 'tokens'] as const);
  const shape = { vector: [4 + random.below(4)], image: [5, 4, 1 + random.below(3)], sequence: [5, 3], tokens: [5] }[
    kind
  ];
  const input = tfl.input({ shape });
  let x = input as Symbolic;
  if (kind === 'tokens') x = L.embedding({ inputDim: TOKENS, outputDim: 3, embeddingsInitializer: 'zeros' }).apply(x) as Symbolic; // prettier-ignore
  for (let i = 1 + random.below(4); i > 0; i--) {
    if (kind === 'image') x = imageLayer(random, x);
    else x = kind === 'vector' ? vectorLayer(random, x) : sequenceLayer(random, x);
  }
  if (kind === 'image') {
    const end = pick(random, [
      L.flatten(),
      L.flatten(),
      L.globalAveragePooling2d({}),
      L.globalMaxPooling2d({}),
    ] as const);
    x = end.apply(x) as Symbolic;
  } else if (kind !== 'vector') x = sequenceEnd(random, x);
  for (let i = random.below(3); i > 0; i--) x = vectorLayer(random, x);
  x = dense(random, 2 + random.below(3)).apply(x) as Symbolic;
  return tfl.model({ inputs: input, outputs: x });
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

/** Values with the sparsity that makes units die: single weights, whole columns, whole rows; some biases 0. */
function randomWeight(random: Random, name: string, shape: readonly number[]): Float32Array {
  const data = Float32Array.from({ length: sizeOf(shape) }, () => random.normal());
  if (/variance/.test(name)) return data.map((x) => 0.5 + Math.abs(x));
  if (/gamma/.test(name)) return data.map((x) => (chance(random, 0.2) ? 0 : x));
  if (!/kernel|embeddings/.test(name)) return chance(random, 0.4) ? data.fill(0) : data;
  const share = pick(random, [0.1, 0.3, 0.6, 0.95, 1]);
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  const deadRow = Uint8Array.from({ length: rows }, () => Number(chance(random, 0.3)));
  const deadColumn = Uint8Array.from({ length: columns }, () => Number(chance(random, 0.3)));
  return data.map((x, i) =>
    chance(random, share) || deadColumn[i % columns] || deadRow[Math.floor(i / columns) % rows] ? 0 : x,
  );
}

export interface RandomNetwork {
  readonly model: LayersModel;
  /** Batch of samples, flat, and their shape. */
  readonly inputs: Float32Array;
  readonly shape: readonly number[];
}

/** A network of TensorFlow.js's layers as a pruned model with inputs; the layers are disposed of. */
export function networkOf(layers: tfl.LayersModel, random: Random): RandomNetwork {
  const tokens = layers.layers.some((layer) => layer.getClassName() === 'Embedding');
  const json = layers.toJSON(undefined, false) as unknown as Topology;
  const weights = layers.weights.map(({ originalName, shape }): WeightTensor => ({
    name: originalName,
    shape: shape as number[],
    dtype: 'float32',
    data: randomWeight(random, originalName, shape as number[]),
  }));
  const shape = [3, ...(layers.inputs[0]!.shape.slice(1) as number[])];
  layers.dispose();
  return {
    model: { kind: 'layers', format: 'tfjs-layers', path: '', topology: { class_name: layers.getClassName(), config: json.config ?? json }, weights, notes: [] }, // prettier-ignore
    inputs: Float32Array.from({ length: sizeOf(shape) }, () => (tokens ? random.below(TOKENS) : random.normal())),
    shape,
  };
}

export function randomNetwork(seed: number): RandomNetwork {
  const random = createRandom(seed);
  tf.engine().startScope();
  const network = networkOf(build(random), random);
  tf.engine().endScope();
  return network;
}

/** TensorFlow.js's prediction on its cpu backend. */
export async function predict(
  model: LayersModel,
  inputs: Float32Array,
  shape: readonly number[],
): Promise<Float32Array> {
  await tf.setBackend('cpu');
  const layers = await tfl.models.modelFromJSON({ modelTopology: model.topology } as never);
  const values = new Map(model.weights.map((weight) => [weight.name, weight]));
  tf.engine().startScope();
  try {
    for (const weight of layers.weights) {
      const { data, shape: own } = values.get(weight.originalName)!;
      // Not `write`, which would apply the weight's constraint.
      (weight.read() as tf.Variable).assign(tf.tensor(data, [...own]));
    }
    const output = layers.apply(tf.tensor(inputs, [...shape]), { training: false }) as tf.Tensor;
    return Float32Array.from(output.dataSync());
  } finally {
    layers.dispose();
    tf.engine().endScope();
  }
}
