/** Tiny models with seeded weights, every layer of the core list among them, and batches to train them on. */
import type { BatchStream, Loss, SampleSource } from '../../../daemon/engine/engine.js';
import { createRandom } from '../../../daemon/lc/random.js';
import type { LayersModel, WeightTensor } from '../../../daemon/model/model.js';

export interface Net {
  readonly model: LayersModel;
  readonly loss: Loss;
  readonly inputShapes: readonly (readonly number[])[];
  readonly outputs: number;
  /** Training draws random numbers. */
  readonly random?: true;
}

type LayerJson = { class_name: string; config: Record<string, unknown>; name?: string; inbound_nodes?: unknown };

const layer = (class_name: string, name: string, config: Record<string, unknown> = {}): LayerJson => ({
  class_name,
  config: { name, trainable: true, dtype: 'float32', ...config },
});

export const dense = (name: string, units: number, activation: string, extra = {}): LayerJson =>
  layer('Dense', name, { units, activation, use_bias: true, ...extra });
const conv = (name: string, filters: number, kernel_size: number[], padding: string, activation: string, extra = {}) =>
  layer('Conv2D', name, {
    filters,
    kernel_size,
    strides: [1, 1],
    padding,
    data_format: 'channels_last',
    dilation_rate: [1, 1],
    activation,
    use_bias: true,
    ...extra,
  });
const pooling = (className: string, name: string, padding = 'valid') =>
  layer(className, name, { pool_size: [2, 2], strides: [2, 2], padding, data_format: 'channels_last' });
const batchNorm = (name: string) =>
  layer('BatchNormalization', name, { axis: -1, momentum: 0.9, epsilon: 0.001, center: true, scale: true });

function seededWeights(shapes: Record<string, readonly number[]>, seed: number): WeightTensor[] {
  const random = createRandom(seed);
  return Object.entries(shapes).map(([name, shape]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const fanIn = shape.slice(0, -1).reduce((a, b) => a * b, 1);
    const positive = /gamma|variance/.test(name);
    const data = Float32Array.from({ length: size }, () =>
      positive ? 0.5 + random.next() : random.normal() * (shape.length > 1 ? 1 / Math.sqrt(fanIn) : 0.3),
    );
    return { name, shape, dtype: 'float32', data };
  });
}

function model(
  class_name: 'Sequential' | 'Model',
  config: object,
  shapes: Record<string, readonly number[]>,
): LayersModel {
  return {
    kind: 'layers',
    format: 'tfjs-layers',
    path: '/nets/model.json',
    topology: { class_name, config },
    weights: seededWeights(shapes, 11),
    notes: [],
  };
}

export function mlp(loss: Loss, outputActivation: string, outputs = 3): Net {
  const layers = [
    dense('first', 6, 'tanh', { batch_input_shape: [null, 7] }),
    dense('second', 5, 'relu'),
    dense('last', outputs, outputActivation),
  ];
  const shapes = {
    'first/kernel': [7, 6],
    'first/bias': [6],
    'second/kernel': [6, 5],
    'second/bias': [5],
    'last/kernel': [5, outputs],
    'last/bias': [outputs],
  };
  return { model: model('Sequential', { name: 'mlp', layers }, shapes), loss, inputShapes: [[7]], outputs };
}

/** Convolutions with "same" and "valid" padding, strides, both poolings, batch normalisation. */
export function cnn(): Net {
  const layers = [
    conv('conv1', 3, [3, 3], 'same', 'relu', { batch_input_shape: [null, 9, 8, 2] }),
    pooling('MaxPooling2D', 'pool1'),
    conv('conv2', 4, [2, 2], 'valid', 'linear', { use_bias: false }),
    batchNorm('norm'),
    layer('Activation', 'tanh', { activation: 'tanh' }),
    pooling('AveragePooling2D', 'pool2', 'same'),
    conv('conv3', 3, [2, 2], 'same', 'sigmoid', { strides: [2, 2] }),
    layer('Flatten', 'flatten', { data_format: 'channels_last' }),
    dense('scores', 4, 'linear'),
    layer('Activation', 'softmax', { activation: 'softmax' }),
  ];
  const shapes = {
    'conv1/kernel': [3, 3, 2, 3],
    'conv1/bias': [3],
    'conv2/kernel': [2, 2, 3, 4],
    'norm/gamma': [4],
    'norm/beta': [4],
    'norm/moving_mean': [4],
    'norm/moving_variance': [4],
    'conv3/kernel': [2, 2, 4, 3],
    'conv3/bias': [3],
    'scores/kernel': [3, 4],
    'scores/bias': [4],
  };
  return {
    model: model('Sequential', { name: 'cnn', layers }, shapes),
    loss: 'categoricalCrossentropy',
    inputShapes: [[9, 8, 2]],
    outputs: 4,
  };
}

/** Caffe's LeNet5 in small: "valid" convolutions with relu in the dense part, negative pooling windows. */
export function lenet(): Net {
  const layers = [
    conv('conv1', 2, [3, 3], 'valid', 'linear', { batch_input_shape: [null, 12, 12, 1] }),
    pooling('MaxPooling2D', 'pool1'),
    conv('conv2', 3, [2, 2], 'valid', 'linear'),
    pooling('MaxPooling2D', 'pool2'),
    layer('Flatten', 'flatten', { data_format: 'channels_last' }),
    dense('hidden', 6, 'relu'),
    dense('last', 3, 'softmax'),
  ];
  const shapes = {
    'conv1/kernel': [3, 3, 1, 2],
    'conv1/bias': [2],
    'conv2/kernel': [2, 2, 2, 3],
    'conv2/bias': [3],
    'hidden/kernel': [12, 6],
    'hidden/bias': [6],
    'last/kernel': [6, 3],
    'last/bias': [3],
  };
  return {
    model: model('Sequential', { name: 'lenet', layers }, shapes),
    loss: 'categoricalCrossentropy',
    inputShapes: [[12, 12, 1]],
    outputs: 3,
  };
}

/** Functional: two inputs, a residual sum, a reshape. */
export function residual(): Net {
  const at = (node: LayerJson, ...from: string[]): LayerJson => ({
    ...node,
    name: node.config['name'] as string,
    inbound_nodes: from.length > 0 ? [from.map((name) => [name, 0, 0, {}])] : [],
  });
  const layers = [
    at(layer('InputLayer', 'left', { batch_input_shape: [null, 6], sparse: false })),
    at(layer('InputLayer', 'right', { batch_input_shape: [null, 2, 3], sparse: false })),
    at(dense('a', 6, 'tanh'), 'left'),
    at(layer('Reshape', 'flat', { target_shape: [6] }), 'right'),
    at(layer('Add', 'sum'), 'a', 'flat'),
    at(dense('b', 6, 'relu'), 'sum'),
    at(layer('Add', 'skip'), 'sum', 'b'),
    at(dense('out', 3, 'softmax'), 'skip'),
  ];
  const shapes = {
    'a/kernel': [6, 6],
    'a/bias': [6],
    'b/kernel': [6, 6],
    'b/bias': [6],
    'out/kernel': [6, 3],
    'out/bias': [3],
  };
  const config = {
    name: 'residual',
    layers,
    input_layers: [
      ['left', 0, 0],
      ['right', 0, 0],
    ],
    output_layers: [['out', 0, 0]],
  };
  return {
    model: model('Model', config, shapes),
    loss: 'sparseCategoricalCrossentropy',
    inputShapes: [[6], [2, 3]],
    outputs: 3,
  };
}

export function dropout(): Net {
  const layers = [
    dense('first', 12, 'relu', { batch_input_shape: [null, 7] }),
    layer('Dropout', 'dropout', { rate: 0.5, noise_shape: null, seed: null }),
    dense('last', 3, 'softmax'),
  ];
  const shapes = { 'first/kernel': [7, 12], 'first/bias': [12], 'last/kernel': [12, 3], 'last/bias': [3] };
  return {
    model: model('Sequential', { name: 'dropout', layers }, shapes),
    loss: 'categoricalCrossentropy',
    inputShapes: [[7]],
    outputs: 3,
    random: true,
  };
}

export interface Batch {
  readonly inputs: Float32Array[];
  readonly target: Float32Array;
}

/** Seeded samples: one-hot targets for classification, 0/1 for binary, normal numbers for regression. */
export function samples({ inputShapes, outputs, loss }: Net, count: number, seed: number): Batch {
  const random = createRandom(seed);
  const inputs = inputShapes.map((shape) =>
    Float32Array.from({ length: count * shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );
  const target = new Float32Array(count * outputs);
  for (let i = 0; i < count; i++) {
    if (loss.endsWith('ategoricalCrossentropy')) target[i * outputs + random.below(outputs)] = 1;
    else
      for (let j = 0; j < outputs; j++) {
        target[i * outputs + j] = loss === 'binaryCrossentropy' ? random.below(2) : 2 * random.normal();
      }
  }
  return { inputs, target };
}

/** Batch i is samples(net, batchSize, seed + i). */
export function batches(net: Net, batchSize: number, seed: number): BatchStream {
  let i = 0;
  return {
    next(inputs, target) {
      const batch = samples(net, batchSize, seed + i++);
      batch.inputs.forEach((values, k) => inputs[k]!.set(values));
      target.set(batch.target);
    },
  };
}

export function source(net: Net, { inputs, target }: Batch, size: number): SampleSource {
  const copy = (from: Float32Array, to: Float32Array, start: number, count: number) => {
    const each = from.length / size;
    to.set(from.subarray(start * each, (start + count) * each));
  };
  return {
    size,
    read(start, count, into, intoTarget) {
      inputs.forEach((values, k) => copy(values, into[k]!, start, count));
      copy(target, intoTarget, start, count);
    },
  };
}
