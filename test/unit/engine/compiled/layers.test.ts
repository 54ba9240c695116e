import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { onnxExecutor } from '../../../../daemon/engine/compiled/onnxGraph.js';
import { CompiledSession } from '../../../../daemon/engine/compiled/session.js';
import { KNOWN_CLASSES, LAYER_CLASSES } from '../../../../daemon/model/layerClasses/registry.js';
import {
  cases,
  chain,
  head,
  noisy,
  recurrentInitializer,
  softmaxHead,
  untrainableInTensorFlow,
  wrongInTensorFlow,
} from './layerCases.js';
import { normals, onCpu, toModel } from './tinyModels.js';
import {
  L,
  batch,
  compare,
  executors,
  finiteDifferences,
  gap,
  info,
  largest,
  native,
  notForNative,
  notNative,
  runtime,
} from './compareLayers.js';

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

  it.each(untrainableInTensorFlow)(
    '%s (which TensorFlow.js cannot train)',
    async (_name, inputShape, build, _loss, instead) => {
      await onCpu();
      const own = chain(inputShape, build());
      const model = toModel(own);
      const equal = instead ? chain(inputShape, instead()) : own;
      const values = instead ? toModel(equal) : model;
      equal.weights.forEach((weight, i) => weight.write(tf.tensor(values.weights[i]!.data, weight.shape as number[])));
      const inputs = [
        normals(
          inputShape.reduce((a, b) => a * b, batch),
          5,
        ),
      ];
      const expected = (
        equal.apply(tf.tensor(inputs[0]!, [batch, ...inputShape])) as tf.Tensor
      ).dataSync() as Float32Array;
      const target = normals(expected.length, 14);
      for (const execute of executors) {
        const session = await CompiledSession.open(info, model, { loss: 'meanSquaredError', batchSize: batch, seed: 1 }, execute).catch(notForNative); // prettier-ignore
        if (!session) continue;
        const { loss, gradient } = await session.gradient(inputs, target);
        expect(Number.isFinite(loss)).toBe(true);
        await finiteDifferences(session, inputs, target, gradient);
        expect(gap(await session.predict(inputs, batch), expected)).toBeLessThan(1e-5 * (1 + largest(expected)));
        await session.dispose();
      }
    },
  );

  it.each(noisy)(
    '%s: one state of the generator is one loss and its gradient, on every executor',
    async (_name, inputShape, build) => {
      await onCpu();
      const layersModel = chain(inputShape, build());
      const model = toModel(layersModel);
      const inputs = [
        normals(
          inputShape.reduce((a, b) => a * b, batch),
          5,
        ),
      ];
      const outputs = (layersModel.outputs[0]!.shape as number[]).slice(1).reduce((a, b) => a * b, batch);
      const target = normals(outputs, 14);
      let first: { loss: number; gradient: Float32Array } | undefined;
      for (const execute of executors) {
        const session = await CompiledSession.open(info, model, { loss: 'meanSquaredError', batchSize: batch, seed: 1 }, execute).catch(notForNative); // prettier-ignore
        if (!session) continue;
        const state = session.getRandomState();
        const result = await session.gradient(inputs, target);
        expect((await session.gradient(inputs, target)).loss).not.toBe(result.loss);
        await finiteDifferences(session, inputs, target, result.gradient, state);
        first ??= result;
        expect(Math.abs(result.loss - first.loss)).toBeLessThan(1e-5 * (1 + first.loss));
        expect(gap(result.gradient, first.gradient)).toBeLessThan(1e-5 * (1 + largest(first.gradient)));
        await session.dispose();
      }
    },
  );

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

  /** On every executor: the outputs, and gradients by finite differences. */
  async function differentiate(layersModel: tfl.LayersModel, inputs: Float32Array[], size = batch) {
    const model = toModel(layersModel);
    const outputs: Float32Array[] = [];
    for (const execute of executors) {
      const session = await CompiledSession.open(info, model, { loss: 'meanSquaredError', batchSize: size, seed: 1 }, execute); // prettier-ignore
      const target = normals(size * (session.outputShape as number[]).reduce((a, b) => a * b, 1), 9);
      const randomState = session.getRandomState();
      const { gradient } = await session.gradient(inputs, target);
      await finiteDifferences(session, inputs, target, gradient, randomState);
      outputs.push(await session.predict(inputs, size));
      await session.dispose();
    }
    return outputs;
  }

  it('merges that broadcast, whose gradients TensorFlow.js gives the shape of the result', async () => {
    await onCpu();
    const input = tfl.input({ shape: [4, 3] });
    const dense = (units: number, x: tfl.SymbolicTensor) => L.dense({ units }).apply(x) as tfl.SymbolicTensor;
    const [x, column] = [dense(3, input), dense(1, input)];
    const merged = [L.maximum(), L.minimum(), L.add(), L.multiply()].map((layer) => layer.apply([column, x]) as tfl.SymbolicTensor); // prettier-ignore
    const all = L.concatenate().apply(merged) as tfl.SymbolicTensor;
    const output = dense(2, L.flatten().apply(all) as tfl.SymbolicTensor);
    const layersModel = tfl.model({ inputs: input, outputs: output });
    const values = [normals(batch * 12, 5)];
    const model = toModel(layersModel);
    layersModel.weights.forEach((weight, i) => weight.write(tf.tensor(model.weights[i]!.data, weight.shape as number[]))); // prettier-ignore
    const expected = (layersModel.predict(tf.tensor(values[0]!, [batch, 4, 3])) as tf.Tensor).dataSync() as Float32Array; // prettier-ignore
    for (const found of await differentiate(layersModel, values)) expect(gap(found, expected)).toBeLessThan(1e-4);
  });

  it('a step counts where it does in any of the merged inputs (Keras 3.15)', async () => {
    await onCpu();
    const network = (length: number, maskZero: boolean) => {
      const inputs = [1, 2].map(() => tfl.input({ shape: [length] }));
      const tokens = inputs.map((input, i) => L.embedding({ name: `tokens${i}`, inputDim: 5, outputDim: 3, maskZero }).apply(input) as tfl.SymbolicTensor); // prettier-ignore
      const sum = L.add().apply(tokens);
      const last = L.gru({ units: 3, recurrentInitializer, name: 'gru' }).apply(sum) as tfl.SymbolicTensor;
      return tfl.model({ inputs, outputs: L.dense({ units: 2, name: 'end' }).apply(last) as tfl.SymbolicTensor });
    };
    // Masked from the third step on, in both inputs: as if there were two steps, some of them masked in one input alone.
    const first = Float32Array.of(1, 2, 0, 0, 0, 1, 0, 0, 3, 2, 0, 0);
    const second = Float32Array.of(2, 0, 0, 0, 1, 1, 0, 0, 4, 3, 0, 0);
    const start = (values: Float32Array) => Float32Array.of(...values.subarray(0, 2), ...values.subarray(4, 6), ...values.subarray(8, 10)); // prettier-ignore
    const masked = await differentiate(network(4, true), [first, second]);
    const short = await differentiate(network(2, false), [start(first), start(second)]);
    masked.forEach((found, i) => expect(gap(found, short[i]!)).toBeLessThan(1e-6));
  });

  it('cells with dropout, whose masks TensorFlow.js keeps from pass to pass', async () => {
    await onCpu();
    const cell = [
      L.gruCell({ units: 3, recurrentInitializer, recurrentDropout: 0.3 }),
      L.simpleRNNCell({ units: 2, recurrentInitializer, dropout: 0.3 }),
    ];
    const layersModel = chain([4, 3], [L.rnn({ cell: cell as never }), L.dense({ units: 2 })]);
    const values = [normals(batch * 12, 5)];
    const model = toModel(layersModel);
    layersModel.weights.forEach((weight, i) => weight.write(tf.tensor(model.weights[i]!.data, weight.shape as number[]))); // prettier-ignore
    const expected = (layersModel.predict(tf.tensor(values[0]!, [batch, 4, 3])) as tf.Tensor).dataSync() as Float32Array; // prettier-ignore
    for (const found of await differentiate(layersModel, values)) expect(gap(found, expected)).toBeLessThan(1e-5);
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

  it('tokens that are in a sequence several times, into GlobalMaxPooling1D', async () => {
    await onCpu();
    const layers = [
      L.embedding({ inputDim: 2, outputDim: 3 }),
      L.dense({ units: 4 }),
      L.globalMaxPooling1d(),
      L.dense({ units: 2 }),
    ];
    await compare(chain([6], layers), 'meanSquaredError', { integers: 2, gradients: false });
  });

  it('pixels that are the largest together, into GlobalMaxPooling2D', async () => {
    await onCpu();
    const layers = [
      L.conv2d({ filters: 2, kernelSize: 1 }),
      L.maxPooling2d({ poolSize: 3, strides: 1 }),
      L.globalMaxPooling2d({}),
      L.dense({ units: 2 }),
    ];
    await compare(chain([6, 6, 2], layers), 'meanSquaredError', { gradients: false });
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

  it('every class that can be trained is among these', () => {
    const builds = [...cases, ...wrongInTensorFlow, ...untrainableInTensorFlow, ...noisy].map(([, shape, build]) => chain(shape, build())); // prettier-ignore
    const tested = new Set(JSON.stringify(builds.map((model) => model.toJSON(undefined, false))).match(/(?<="class_name":")\w+/g)); // prettier-ignore
    // Merges and Embedding have tests of their own below, Operation in model/operations; what TensorFlow.js lacks is in the matrix against NumPy; the reader refuses what changes an image's size.
    const elsewhere = ['Add', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Concatenate', 'Dot', 'Embedding', 'Resizing', 'CenterCrop', 'RandomCrop', 'Operation', ...Object.entries(LAYER_CLASSES).flatMap(([name, { compute }]) => (compute ? [name] : []))]; // prettier-ignore
    expect([...KNOWN_CLASSES].filter((name) => !tested.has(name) && !elsewhere.includes(name))).toEqual([]);
  });

  it.skipIf(!native)('native kernels cover all of these', () => {
    expect(notNative).toEqual([]);
  });
});
