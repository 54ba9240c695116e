import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { onnxExecutor } from '../../../../daemon/engine/compiled/onnxGraph.js';
import type { CreateExecutor } from '../../../../daemon/engine/compiled/executor.js';
import { CompiledSession } from '../../../../daemon/engine/compiled/session.js';
import type { Loss } from '../../../../daemon/engine/engine.js';
import { loadAddon } from '../../../../daemon/engine/native/addon.js';
import { NativeGraph } from '../../../../daemon/engine/native/nativeGraph.js';
import { Unsupported } from '../../../../daemon/engine/native/units.js';
import { normals, onCpu, reference, targets, toModel } from './tinyModels.js';

const L = tfl.layers;
type Case = [name: string, inputShape: number[], layers: () => tfl.layers.Layer[], loss?: Loss];

const info = { id: 'onnx-cpu', name: 'compiled', device: 'CPU' };
const runtime = { provider: 'cpu', threads: 1 } as const;
const batch = 3;

/** Dense after whatever comes out, so that every gradient passes through the layer under test. */
const head = (units = 4) => [L.flatten(), L.dense({ units })];
const softmaxHead = (units = 4) => [L.flatten(), L.dense({ units, activation: 'softmax' })];
/** The default, orthogonal, needs operations that the Node build of TensorFlow.js does not chain. */
const recurrentInitializer = 'zeros';
const activations = ['linear', 'relu', 'tanh', 'sigmoid', 'elu', 'selu', 'relu6', 'softplus', 'softsign', 'swish', 'gelu', 'mish', 'hardSigmoid'] as const; // prettier-ignore

const cases: Case[] = [
  ['Dense, softmax cross-entropy', [7], () => [L.dense({ units: 5, activation: 'softmax' })], 'categoricalCrossentropy'],
  ['Softmax layer', [7], () => [L.dense({ units: 5 }), L.softmax()], 'categoricalCrossentropy'],
  ['Activation softmax', [7], () => [L.dense({ units: 5 }), L.activation({ activation: 'softmax' })], 'sparseCategoricalCrossentropy'],
  ['softmax under a squared error', [7], () => [L.dense({ units: 5, activation: 'softmax' })], 'meanSquaredError'],
  ['sigmoid, binary cross-entropy', [7], () => [L.dense({ units: 3, activation: 'sigmoid' })], 'binaryCrossentropy'],
  ['absolute error', [7], () => [L.dense({ units: 3 })], 'meanAbsoluteError'],
  ['Huber', [7], () => [L.dense({ units: 3 })], 'huber'],
  ['Dense without bias, three layers', [6], () => [L.dense({ units: 8, activation: 'relu', useBias: false }), L.dense({ units: 5, activation: 'tanh' }), L.dense({ units: 2 })]],
  ['Dense over sequences', [4, 3], () => [L.dense({ units: 5, activation: 'relu' }), L.dense({ units: 2, activation: 'softmax' })], 'categoricalCrossentropy'],
  ...activations.map((activation): Case => [`activation ${activation}`, [6], () => [L.dense({ units: 5 }), L.activation({ activation }), L.dense({ units: 3 })]]),
  ['ELU, LeakyReLU, PReLU, ReLU layers', [6], () => [L.dense({ units: 6 }), L.elu({ alpha: 1 }), L.dense({ units: 6 }), L.leakyReLU({ alpha: 0.2 }), L.prelu(), L.dense({ units: 6 }), L.reLU({ maxValue: 2 }), L.dense({ units: 2 })]],
  ['Conv2D valid', [6, 7, 2], () => [L.conv2d({ filters: 3, kernelSize: 3, activation: 'relu' }), ...softmaxHead()], 'categoricalCrossentropy'],
  ['Conv2D same, strides', [7, 6, 2], () => [L.conv2d({ filters: 3, kernelSize: [3, 2], strides: 2, padding: 'same' }), ...head()]],
  ['Conv2D valid, strides that skip rows', [8, 8, 2], () => [L.conv2d({ filters: 2, kernelSize: 3, strides: 2 }), L.conv2d({ filters: 3, kernelSize: 2, strides: 3 }), ...head()]],
  ['Conv2D same, even kernel, deep', [5, 5, 1], () => [L.conv2d({ filters: 4, kernelSize: 4, padding: 'same', activation: 'tanh' }), L.conv2d({ filters: 3, kernelSize: 3, padding: 'same', useBias: false, activation: 'relu' }), ...head()]],
  ['Conv2D of many channels, same, valid and 1 x 1', [7, 6, 8], () => [L.conv2d({ filters: 9, kernelSize: [3, 2], padding: 'same', activation: 'tanh' }), L.conv2d({ filters: 8, kernelSize: 2 }), L.conv2d({ filters: 10, kernelSize: 1 }), ...head()]],
  ['Conv2D 1x1 and strided 1x1', [5, 4, 3], () => [L.conv2d({ filters: 4, kernelSize: 1, activation: 'relu' }), L.conv2d({ filters: 2, kernelSize: 1, strides: 2 }), ...head()]],
  ['MaxPooling2D', [6, 6, 3], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.maxPooling2d({ poolSize: 2 }), ...head()]],
  ['MaxPooling2D, rest and same padding', [7, 5, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.maxPooling2d({ poolSize: 2 }), L.maxPooling2d({ poolSize: 2, padding: 'same' }), ...head()]],
  ['MaxPooling2D, overlapping', [7, 7, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.maxPooling2d({ poolSize: 3, strides: 2 }), ...head()]],
  ['AveragePooling2D', [6, 6, 3], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.averagePooling2d({ poolSize: 2 }), ...head()]],
  ['AveragePooling2D, overlapping', [7, 7, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.averagePooling2d({ poolSize: 3, strides: 2 }), ...head()]],
  ['GlobalAveragePooling2D', [5, 5, 2], () => [L.conv2d({ filters: 4, kernelSize: 3 }), L.globalAveragePooling2d({}), L.dense({ units: 3 })]],
  ['GlobalMaxPooling2D', [5, 5, 2], () => [L.conv2d({ filters: 4, kernelSize: 3 }), L.globalMaxPooling2d({}), L.dense({ units: 3 })]],
  ['ZeroPadding2D, Cropping2D', [4, 5, 2], () => [L.zeroPadding2d({ padding: [[1, 2], [0, 1]] }), L.conv2d({ filters: 2, kernelSize: 2 }), L.cropping2D({ cropping: [[1, 0], [1, 1]] }), ...head()]],
  ['UpSampling2D bilinear', [4, 4, 2], () => [L.conv2d({ filters: 2, kernelSize: 2 }), L.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }), L.conv2d({ filters: 2, kernelSize: 2 }), ...head()]],
  ['DepthwiseConv2D', [6, 6, 3], () => [L.conv2d({ filters: 3, kernelSize: 1 }), L.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, activation: 'relu' }), ...head()]],
  ['DepthwiseConv2D same, strides', [7, 6, 3], () => [L.conv2d({ filters: 3, kernelSize: 1 }), L.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: 'same' }), ...head()]],
  ['SeparableConv2D', [6, 6, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.separableConv2d({ filters: 4, kernelSize: 3 }), ...head()]],
  ['Conv2DTranspose', [4, 4, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' }), ...head()]],
  ['Conv1D, MaxPooling1D', [9, 3], () => [L.conv1d({ filters: 4, kernelSize: 3, activation: 'relu' }), L.maxPooling1d({ poolSize: 2 }), L.conv1d({ filters: 2, kernelSize: 2 }), ...head()]],
  ['AveragePooling1D, GlobalAveragePooling1D', [8, 3], () => [L.conv1d({ filters: 4, kernelSize: 2 }), L.averagePooling1d({ poolSize: 2 }), L.globalAveragePooling1d(), L.dense({ units: 2 })]],
  ['BatchNormalization, rank 2', [6], () => [L.dense({ units: 5 }), L.batchNormalization(), L.activation({ activation: 'relu' }), L.dense({ units: 3 })]],
  ['BatchNormalization, rank 4', [5, 4, 2], () => [L.conv2d({ filters: 3, kernelSize: 2 }), L.batchNormalization({ momentum: 0.9 }), L.reLU(), L.conv2d({ filters: 2, kernelSize: 2 }), L.batchNormalization({ scale: true, epsilon: 0.01 }), ...softmaxHead()], 'categoricalCrossentropy'],
  ['LayerNormalization', [4, 5], () => [L.dense({ units: 6 }), L.layerNormalization(), ...head()]],
  ['Reshape, Permute', [12], () => [L.dense({ units: 12 }), L.reshape({ targetShape: [3, 4] }), L.permute({ dims: [2, 1] }), L.dense({ units: 2 }), ...head()]],
  ['RepeatVector, TimeDistributed', [5], () => [L.dense({ units: 3 }), L.repeatVector({ n: 4 }), L.timeDistributed({ layer: L.dense({ units: 2, activation: 'tanh' }) }), ...head()]],
  ['SimpleRNN', [4, 3], () => [L.simpleRNN({ units: 4, returnSequences: true, recurrentInitializer }), L.simpleRNN({ units: 3, recurrentInitializer }), L.dense({ units: 2 })]],
  ['LSTM', [4, 3], () => [L.lstm({ units: 4, returnSequences: true, recurrentInitializer }), L.lstm({ units: 3, recurrentActivation: 'sigmoid', recurrentInitializer }), L.dense({ units: 2 })]],
  ['GRU', [4, 3], () => [L.gru({ units: 4, recurrentInitializer }), L.dense({ units: 2, activation: 'softmax' })], 'categoricalCrossentropy'],
  ['Bidirectional LSTM', [4, 3], () => [L.bidirectional({ layer: L.lstm({ units: 3, returnSequences: true, recurrentInitializer }) as never, mergeMode: 'concat' }), ...head()]],
  ['ConvLSTM2D', [2, 5, 5, 2], () => [L.convLstm2d({ filters: 2, kernelSize: 3, recurrentInitializer }) as tfl.layers.Layer, ...head()]],
  ['Conv2D and pooling, channels first', [2, 6, 6], () => [L.conv2d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst' }),  L.maxPooling2d({ poolSize: 2, dataFormat: 'channelsFirst' }), ...head()]],
  ['Masking into a GRU', [4, 3], () => [L.masking({ maskValue: 0 }), L.gru({ units: 3, recurrentInitializer }), L.dense({ units: 2 })]],
  ['TimeDistributed Conv2D', [3, 4, 4, 2], () => [L.timeDistributed({ layer: L.conv2d({ filters: 2, kernelSize: 2, activation: 'relu' }) }), ...head()]],
  ['stacked cells, backwards', [4, 3], () => [L.rnn({ cell: [L.lstmCell({ units: 3, recurrentInitializer }), L.gruCell({ units: 2, recurrentInitializer })] as never, goBackwards: true }), L.dense({ units: 2 })]],
  ['SimpleRNN unrolled, ReLU', [4, 3], () => [L.simpleRNN({ units: 3, activation: 'relu', unroll: true, recurrentInitializer }), L.dense({ units: 2 })]],
  ['BatchNormalization over sequences', [5, 3], () => [L.dense({ units: 4 }), L.batchNormalization(), ...head()]],
  ['LayerNormalization over images', [4, 3, 2], () => [L.conv2d({ filters: 3, kernelSize: 2 }), L.layerNormalization({ axis: [1, 2, 3] }), ...head()]],
  ['Rescaling', [5], () => [L.rescaling({ scale: 0.1, offset: -1 }), L.dense({ units: 3 })]],
]; // prettier-ignore

/** TensorFlow.js's cpu backend has these gradients wrong (4.22): only finite differences can tell. */
const wrongInTensorFlow: Case[] = [
  ['UpSampling2D nearest', [3, 4, 2], () => [L.conv2d({ filters: 2, kernelSize: 2 }), L.upSampling2d({ size: [2, 3] }), L.conv2d({ filters: 2, kernelSize: 2 }), ...head()]],
  ['AveragePooling2D same', [5, 5, 2], () => [L.conv2d({ filters: 2, kernelSize: 1 }), L.averagePooling2d({ poolSize: 2, padding: 'same' }), L.averagePooling2d({ poolSize: 3, strides: 1, padding: 'same' }), ...head()]],
]; // prettier-ignore

const found = loadAddon();
const native =
  'addon' in found
    ? async (...[graph, inputs, outputs]: Parameters<CreateExecutor>) =>
        NativeGraph.create(found.addon, graph, inputs, outputs, { threads: 2, level: found.addon.levels()[0]! })
    : null;
/** Tests whose networks have no native kernel for something: that something. */
const notNative: string[] = [];

const gap = (a: Float32Array, b: Float32Array) => {
  let worst = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
};
const largest = (a: Float32Array) => a.reduce((m, v) => Math.max(m, Math.abs(v)), 0);

/** The derivative along a random direction, by central differences of the compiled loss itself (float32). */
async function finiteDifferences(
  session: CompiledSession,
  inputs: Float32Array[],
  target: Float32Array,
  gradient: Float32Array,
) {
  const w = await session.getWeights();
  const d = normals(w.length, 77);
  const epsilon = 2 ** -9;
  const lossAt = async (t: number) => {
    await session.setWeights(w.map((v, i) => v + t * d[i]!));
    return (await session.gradient(inputs, target)).loss;
  };
  const numeric = ((await lossAt(epsilon)) - (await lossAt(-epsilon))) / (2 * epsilon);
  await session.setWeights(w);
  const analytic = gradient.reduce((sum, g, i) => sum + g * d[i]!, 0);
  const scale = Math.hypot(...gradient) * Math.sqrt(1 + w.length / 100);
  expect(Math.abs(numeric - analytic), `along a direction: ${numeric} and ${analytic}`).toBeLessThan(
    0.02 * scale + 1e-3,
  );
}

export async function compare(
  layersModel: tfl.LayersModel,
  loss: Loss,
  { seed = 5, integers = 0, gradients = true } = {},
) {
  const model = toModel(layersModel);
  const outputShape = layersModel.outputs[0]!.shape.slice(1) as number[];
  const sizes = layersModel.inputs.map(({ shape }) => (shape.slice(1) as number[]).reduce((a, b) => a * b, batch));
  const inputs = sizes.map((size, i) =>
    integers ? normals(size, seed + i).map((v) => Math.floor(Math.abs(v * 7)) % integers) : normals(size, seed + i),
  );
  const size = outputShape.reduce((a, b) => a * b, batch);
  const target = targets(loss, size, outputShape.at(-1)!, seed + 9);
  await onCpu();
  const expected = reference(layersModel, model, inputs, target, loss, batch);
  const spec = { loss, batchSize: batch, seed: 1 };
  const sessions = [await CompiledSession.open(info, model, spec, onnxExecutor(runtime))];
  try {
    if (native) sessions.push(await CompiledSession.open(info, model, spec, native));
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    notNative.push(`${expect.getState().currentTestName!.split(' > ').at(-1)}: ${/for (\w+)/.exec(error.message)![1]}`);
  }
  for (const session of sessions) await compareSession(session);

  async function compareSession(session: CompiledSession) {
    try {
      const { loss: value, gradient } = await session.gradient(inputs, target);
      expect(Math.abs(value - expected.loss)).toBeLessThan(2e-6 * (1 + Math.abs(expected.loss)));
      expect(new Set(session.parameters.map(({ name }) => name))).toEqual(new Set(expected.gradients.keys()));
      for (const { name, offset, size: n } of session.parameters) {
        const want = expected.gradients.get(name)!;
        const tolerance = 1e-5 * (1 + largest(want));
        if (gradients) expect(gap(gradient.subarray(offset, offset + n), want), name).toBeLessThan(tolerance);
      }
      // The inference batch is larger than 3: rows beyond are padding.
      await finiteDifferences(session, inputs, target, gradient);
      const output = await session.predict(inputs, batch);
      expect(gap(output, expected.output)).toBeLessThan(1e-5 * (1 + largest(expected.output)));
      const frozen = { learningRate: () => 0, momentum: 0, nesterov: false, weightDecay: 0 };
      const batches = {
        next: (into: readonly Float32Array[], y: Float32Array) => {
          inputs.forEach((values, i) => into[i]!.set(values));
          y.set(target);
        },
      };
      await session.train({ batches, steps: 1, ...frozen });
      const states = layersModel.nonTrainableWeights
        .map((weight) => [...expected.states.get(weight.originalName)!])
        .flat();
      expect(gap(await session.getState(), Float32Array.from(states))).toBeLessThan(1e-5);
    } finally {
      await session.dispose();
    }
  }
}

const chain = (inputShape: number[], layers: tfl.layers.Layer[]) => {
  const input = tfl.input({ shape: inputShape });
  return tfl.model({
    inputs: input,
    outputs: layers.reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input),
  });
};

describe('loss, gradients, states and outputs equal TensorFlow.js on its cpu backend, compiled for onnxruntime and for native kernels', () => {
  beforeAll(onCpu);
  it.each(cases)('%s', async (_name, inputShape, build, loss = 'meanSquaredError') => {
    await onCpu();
    await compare(chain(inputShape, build()), loss);
  });
  it.each(wrongInTensorFlow)('%s (gradients by finite differences)', async (_name, inputShape, build) => {
    await onCpu();
    await compare(chain(inputShape, build()), 'meanSquaredError', { gradients: false });
  });

  it('BatchNormalization without scale and centre, which TensorFlow.js itself fails to train', async () => {
    await onCpu();
    const layers = [L.conv2d({ filters: 3, kernelSize: 2 }), L.batchNormalization({ scale: false, center: false }), ...head()]; // prettier-ignore
    const model = toModel(chain([5, 5, 2], layers));
    const session = await CompiledSession.open(info, model, { loss: 'meanSquaredError', batchSize: batch, seed: 1 }, onnxExecutor(runtime)); // prettier-ignore
    const inputs = [normals(batch * 50, 5)];
    const target = normals(batch * 4, 6);
    const { gradient } = await session.gradient(inputs, target);
    await finiteDifferences(session, inputs, target, gradient);
    await session.dispose();
  });

  it('merges: Add, Subtract-free Multiply, Average, Maximum, Minimum, Concatenate, Dot', async () => {
    await onCpu();
    const input = tfl.input({ shape: [5] });
    const branch = (units = 4) => L.dense({ units, activation: 'tanh' }).apply(input) as tfl.SymbolicTensor;
    const merged = [
      L.add().apply([branch(), branch()]),
      L.multiply().apply([branch(), branch()]),
      L.average().apply([branch(), branch(), branch()]),
      L.maximum().apply([branch(), branch()]),
      L.minimum().apply([branch(), branch()]),
      L.dot({ axes: -1 }).apply([branch(), branch()]),
    ] as tfl.SymbolicTensor[];
    const all = L.concatenate().apply(merged) as tfl.SymbolicTensor;
    const output = L.dense({ units: 3, activation: 'softmax' }).apply(all) as tfl.SymbolicTensor;
    await compare(tfl.model({ inputs: input, outputs: output }), 'categoricalCrossentropy');
  });

  it('a residual block with a strided shortcut, concatenated channels and two inputs', async () => {
    await onCpu();
    const image = tfl.input({ shape: [6, 6, 2] });
    const side = tfl.input({ shape: [3] });
    const apply = (layer: tfl.layers.Layer, ...x: tfl.SymbolicTensor[]) => layer.apply(x.length === 1 ? x[0]! : x) as tfl.SymbolicTensor; // prettier-ignore
    const conv = (filters: number, strides = 1, kernelSize = 3) => L.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false }); // prettier-ignore
    const stem = apply(L.activation({ activation: 'relu' }), apply(L.batchNormalization(), apply(conv(3), image)));
    const main = apply(L.batchNormalization(), apply(conv(4), apply(L.reLU(), apply(conv(4, 2), stem))));
    const sum = apply(L.reLU(), apply(L.add(), main, apply(conv(4, 2, 1), stem)));
    const wide = apply(L.concatenate(), sum, apply(conv(2), sum));
    const pooled = apply(L.concatenate(), apply(L.globalAveragePooling2d({}), wide), side);
    const output = apply(L.dense({ units: 3, activation: 'softmax' }), pooled);
    await compare(tfl.model({ inputs: [image, side], outputs: output }), 'categoricalCrossentropy');
  });

  it('Embedding', async () => {
    await onCpu();
    const layers = [L.embedding({ inputDim: 7, outputDim: 3 }), ...softmaxHead()];
    await compare(chain([4], layers), 'categoricalCrossentropy', { integers: 7 });
  });

  it('Embedding with masking into an LSTM', async () => {
    await onCpu();
    const layers = [
      L.embedding({ inputDim: 7, outputDim: 3, maskZero: true }),
      L.lstm({ units: 3, recurrentInitializer }),
      L.dense({ units: 2 }),
    ];
    await compare(chain([4], layers), 'meanSquaredError', { integers: 7 });
  });

  it('a model within a model, with the head inside', async () => {
    await onCpu();
    const inner = chain([5, 5, 2], [L.conv2d({ filters: 2, kernelSize: 2 }), L.batchNormalization(), ...softmaxHead()]);
    const input = tfl.input({ shape: [5, 5, 2] });
    await compare(tfl.model({ inputs: input, outputs: inner.apply(input) as tfl.SymbolicTensor }), 'categoricalCrossentropy'); // prettier-ignore
  });

  it('a Sequential model with frozen layers', async () => {
    await onCpu();
    const model = tfl.sequential({
      layers: [
        L.dense({ units: 4, activation: 'relu', inputShape: [3], trainable: false }),
        L.batchNormalization(),
        L.dense({ units: 2, activation: 'sigmoid' }),
      ],
    });
    await compare(model, 'binaryCrossentropy');
  });

  it.skipIf(!native)('native kernels cover all of these but', () => {
    expect(notNative).toEqual([
      'UpSampling2D bilinear: ResizeBilinearGrad',
      'Masking into a GRU: Any',
      'LayerNormalization over images: Sub',
      'UpSampling2D nearest (gradients by finite differences): ResizeNearestGrad',
    ]);
  });
});
