/** The reference networks of the paper and of the field, built from a seed. */
import { createRandom, type Random } from '../../lc/random.js';
import { ARCHITECTURES } from '../../protocol/plan.js';
import { sizeOf } from '../../protocol/shape.js';
import { modelGraph } from '../layers/layerGraph.js';
import type { Json, LayerJson } from '../layers/layerConfig.js';
import type { LayersModel, Topology, WeightTensor } from '../model.js';

export type Architecture = (typeof ARCHITECTURES)[number];

/** Distribution of initial kernels; fan counts are per output unit and per input unit over the receptive field. */
type Initializer = (random: Random, fanIn: number, fanOut: number) => number;

/** Glorot & Bengio 2010: uniform in +-sqrt(6 / (fanIn + fanOut)). */
const xavierUniform: Initializer = (random, fanIn, fanOut) => (2 * random.next() - 1) * Math.sqrt(6 / (fanIn + fanOut));
/** Caffe's "xavier" filler: uniform in +-sqrt(3 / fanIn). */
const caffeXavier: Initializer = (random, fanIn) => (2 * random.next() - 1) * Math.sqrt(3 / fanIn);
/** He et al. 2015: normal of variance 2 / fanIn. */
const heNormal: Initializer = (random, fanIn) => random.normal() * Math.sqrt(2 / fanIn);

/** Stream of the initial weights, apart from other uses of a run's seed (see createRandom). */
const INITIAL_WEIGHTS = 3;

const layer = (class_name: string, name: string, config: Json): LayerJson => ({
  class_name,
  config: { name, trainable: true, ...config },
});
const dense = (name: string, units: number, activation: string, more: Json = {}): LayerJson =>
  layer('Dense', name, { units, activation, use_bias: true, ...more });
const conv = (name: string, filters: number, size: number, more: Json): LayerJson =>
  layer('Conv2D', name, { filters, kernel_size: [size, size], strides: [1, 1], data_format: 'channels_last', ...more });
const pool = (class_name: string, name: string, size: number, stride: number): LayerJson =>
  layer(class_name, name, {
    pool_size: [size, size],
    strides: [stride, stride],
    padding: 'valid',
    data_format: 'channels_last',
  });

const sequential = (name: string, layers: LayerJson[]): Topology => ({
  class_name: 'Sequential',
  config: { name, layers },
});

/** 784-300-100-10 (LeCun et al. 1998). */
const lenet300 = (name: string, activation: string): Topology =>
  sequential(name, [
    dense('fc1', 300, activation, { batch_input_shape: [null, 784], dtype: 'float32' }),
    dense('fc2', 100, activation),
    dense('fc3', 10, 'softmax'),
  ]);

/** Caffe's LeNet: 430,500 kernel weights; no activation after the convolutions. */
const lenet5 = (): Topology =>
  sequential('lenet5', [
    conv('conv1', 20, 5, { padding: 'valid', activation: 'linear', use_bias: true, batch_input_shape: [null, 28, 28, 1], dtype: 'float32' }),
    pool('MaxPooling2D', 'pool1', 2, 2),
    conv('conv2', 50, 5, { padding: 'valid', activation: 'linear', use_bias: true }),
    pool('MaxPooling2D', 'pool2', 2, 2),
    layer('Flatten', 'flatten', {}),
    dense('fc1', 500, 'relu'),
    dense('fc2', 10, 'softmax'),
  ]); // prettier-ignore

/**
 * ResNet for CIFAR-10 of depth 6n + 2 (He et al. 2016, section 4.2) with parameter-free shortcuts (option A). Where the shape changes, the shortcut
 * takes every second pixel (average pooling of size 1 and stride 2) and pads the channels with zeros on both sides. With data_format
 * "channels_first", ZeroPadding2D pads axes 2 and 3; on a channels-last tensor axis 3 is the channels, so one standard layer does it without a
 * transpose.
 */
function resnet(depth: number): Topology {
  const n = (depth - 2) / 6;
  const layers: LayerJson[] = [];
  const add = (entry: LayerJson, ...inputs: string[]): string => {
    const name = entry.config.name as string;
    layers.push({ ...entry, name, inbound_nodes: inputs.length ? [inputs.map((input) => [input, 0, 0, {}])] : [] });
    return name;
  };
  const block = (name: string, filters: number, stride: number, input: string): string =>
    add(
      layer('BatchNormalization', `${name}_bn`, { axis: -1, momentum: 0.9, epsilon: 1e-5, center: true, scale: true }),
      add(
        conv(name, filters, 3, { strides: [stride, stride], padding: 'same', activation: 'linear', use_bias: false }),
        input,
      ),
    );
  const relu = (name: string, input: string): string => add(layer('Activation', name, { activation: 'relu' }), input);

  const input = add(
    layer('InputLayer', 'input', { batch_input_shape: [null, 32, 32, 3], dtype: 'float32', sparse: false }),
  );
  let x = relu('stem_relu', block('stem', 16, 1, input));
  for (const [stage, filters] of [16, 32, 64].entries()) {
    for (let i = 1; i <= n; i++) {
      const name = `stage${stage + 1}_block${i}`;
      const shrinks = stage > 0 && i === 1;
      const first = relu(`${name}_relu1`, block(`${name}_conv1`, filters, shrinks ? 2 : 1, x));
      const second = block(`${name}_conv2`, filters, 1, first);
      const shortcut = shrinks
        ? add(
            layer('ZeroPadding2D', `${name}_pad`, {
              padding: [[0, 0], [filters / 4, filters / 4]],
              data_format: 'channels_first',
            }), // prettier-ignore
            add(pool('AveragePooling2D', `${name}_stride`, 1, 2), x),
          )
        : x;
      x = relu(`${name}_relu2`, add(layer('Add', `${name}_add`, {}), second, shortcut));
    }
  }
  const output = add(
    dense('fc', 10, 'softmax'),
    add(layer('GlobalAveragePooling2D', 'pool', { data_format: 'channels_last' }), x),
  );
  return {
    class_name: 'Model',
    config: { name: `resnet${depth}`, layers, input_layers: [[input, 0, 0]], output_layers: [[output, 0, 0]] },
  };
}

const BUILDERS: Record<Architecture, { topology: () => Topology; initializer: Initializer }> = {
  lenet300: { topology: () => lenet300('lenet300', 'relu'), initializer: xavierUniform },
  'lenet300-tanh': { topology: () => lenet300('lenet300_tanh', 'tanh'), initializer: xavierUniform },
  lenet5: { topology: lenet5, initializer: caffeXavier },
  resnet20: { topology: () => resnet(20), initializer: heNormal },
  resnet32: { topology: () => resnet(32), initializer: heNormal },
  resnet56: { topology: () => resnet(56), initializer: heNormal },
  resnet110: { topology: () => resnet(110), initializer: heNormal },
};

/**
 * A freshly initialised reference network; the same seed gives the same weights. Biases, beta and moving means are 0,
 * gamma and moving variances 1. Inputs: [784] (lenet300*), [28, 28, 1] (lenet5), [32, 32, 3] (resnet*).
 */
export function buildArchitecture(name: Architecture, seed: number): LayersModel {
  const { topology: build, initializer } = BUILDERS[name];
  const topology = build();
  const random = createRandom(seed, INITIAL_WEIGHTS);
  const weights = modelGraph(topology)
    .layers.flatMap((node) => node.weights)
    .map((spec): WeightTensor => {
      const shape = spec.shape as readonly number[];
      const data = new Float32Array(sizeOf(shape));
      if (spec.prunable) {
        const field = sizeOf(shape.slice(0, -2));
        const [fanIn, fanOut] = [field * shape.at(-2)!, field * shape.at(-1)!];
        for (let i = 0; i < data.length; i++) data[i] = initializer(random, fanIn, fanOut);
      } else if (/gamma$|variance$/.test(spec.name)) data.fill(1);
      return { name: spec.name, shape, dtype: 'float32', data };
    });
  return { kind: 'layers', format: 'tfjs-layers', path: '', topology, weights, notes: [] };
}
