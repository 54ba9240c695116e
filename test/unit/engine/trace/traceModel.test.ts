import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, it, vi } from 'vitest';
import { type Graph } from '../../../../daemon/network/ir.js';
import { traceModel } from '../../../../daemon/engine/trace/traceModel.js';
import { onCpu, toModel } from '../compiled/tinyModels.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';

const L = tfl.layers;

async function trace(inputShape: number[], layers: () => tfl.layers.Layer[], batchSize = 4) {
  await onCpu();
  const input = tfl.input({ shape: inputShape });
  const output = layers().reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input);
  const model = toModel(tfl.model({ inputs: input, outputs: output }));
  const traced = await traceModel(model, { loss: 'categoricalCrossentropy', batchSize });
  return { ...traced, training: await traced.training() };
}

const ops = ({ nodes }: Graph) => nodes.map(({ op }) => op);
const count = (graph: Graph, op: string) => ops(graph).filter((other) => other === op).length;

describe('the trace of a model', () => {
  it('an MLP is its products and little else: two per layer backwards, one for the first', async () => {
    const { training, inference, outputs } = await trace([20], () => [
      L.dense({ units: 8, activation: 'relu' }),
      L.dense({ units: 6, activation: 'relu' }),
      L.dense({ units: 3, activation: 'softmax' }),
    ]);
    expect(count(training, 'MatMul')).toBe(3 + 3 + 2);
    expect(ops(training)).not.toContain('Cast');
    expect(ops(inference)).toEqual(['MatMul', 'Add', 'Relu', 'MatMul', 'Add', 'Relu', 'MatMul', 'Add']);
    expect(outputs[0]!.head).toBe('softmax');
  });

  it('the logits gradient is (softmax - target) / batch, without logarithms of probabilities', async () => {
    const { training } = await trace([5], () => [L.dense({ units: 3, activation: 'softmax' })]);
    expect(ops(training)).not.toContain('ClipByValue');
    expect(ops(training)).not.toContain('RealDiv');
    expect(count(training, 'Softmax')).toBe(1);
  });

  it('recurrent layers that name no initialiser, with a forget bias of ones, are built without computing', async () => {
    const zeros = (name: string, shape: number[]) => ({
      name,
      shape,
      dtype: 'float32' as const,
      data: new Float32Array(shape.reduce((a, b) => a * b)),
    });
    const config = {
      name: 'lstm',
      units: 3,
      unit_forget_bias: true,
      batch_input_shape: [null, 4, 2],
      dtype: 'float32',
    };
    const traced = await traceModel(
      {
        kind: 'layers',
        format: 'tfjs-layers',
        path: 'lstm.json',
        topology: {
          class_name: 'Sequential',
          config: { name: 'net', layers: [{ class_name: 'LSTM', config }] },
        },
        weights: [zeros('lstm/kernel', [2, 12]), zeros('lstm/recurrent_kernel', [3, 12]), zeros('lstm/bias', [12])],
        notes: [],
      },
      { loss: 'meanSquaredError', batchSize: 2 },
    );
    const training = await traced.training();
    expect(training.outputs.flatMap((output) => (output.role === 'gradient' ? [output.name] : []))).toEqual([
      'lstm/kernel',
      'lstm/recurrent_kernel',
      'lstm/bias',
    ]);
  });

  it('a softmax of masked steps, whose mask would meet other axes, is refused by name', async () => {
    const layers = () => [
      L.embedding({ inputDim: 5, outputDim: 4, maskZero: true }),
      L.softmax({ name: 'soft' }),
      L.globalAveragePooling1d(),
      L.dense({ units: 3, activation: 'softmax' }),
    ];
    // Of one sample and one step the mask would broadcast, to the loss of the samples of inference.
    await expect(trace([1], layers, 1)).rejects.toThrow(/layer "soft" \(Softmax\) gets a mask of steps/);
  });

  it('a layer at every step of a long sequence is called once', async () => {
    const { training } = await trace([1500, 2], () => [
      L.timeDistributed({ layer: L.dense({ units: 3, activation: 'relu' }) }),
      L.globalAveragePooling1d(),
      L.dense({ units: 3, activation: 'softmax' }),
    ]);
    expect(count(training, 'MatMul')).toBe(2 + 2 + 1);
  });

  it("weights are in the file's order, whatever the order of its layers", async () => {
    await onCpu();
    const input = tfl.input({ shape: [3] });
    const far = L.batchNormalization({ name: 'far' }).apply(input) as tfl.SymbolicTensor;
    const near = L.batchNormalization({ name: 'near' }).apply(L.dense({ units: 3, name: 'fc' }).apply(far));
    const sum = L.add().apply([near as tfl.SymbolicTensor, L.batchNormalization({ name: 'side' }).apply(input) as tfl.SymbolicTensor]); // prettier-ignore
    const model = toModel(tfl.model({ inputs: input, outputs: sum as tfl.SymbolicTensor }));
    const config = model.topology.config as { layers: unknown[] };
    const turned = {
      ...model,
      topology: { ...model.topology, config: { ...config, layers: config.layers.toReversed() } },
      weights: model.weights.toReversed(),
    };
    const { states, parameters } = await traceModel(turned, { loss: 'meanSquaredError', batchSize: 2 });
    const names = turned.weights.map(({ name }) => name);
    expect(states.map(({ name }) => name)).toEqual(names.filter((name) => name.includes('moving')));
    expect(parameters.map(({ name }) => name)).toEqual(names.filter((name) => !name.includes('moving')));
  });

  it('every node knows its shape, comes after its inputs and belongs to a layer', async () => {
    const { training } = await trace([6, 6, 2], () => [
      L.conv2d({ filters: 3, kernelSize: 3, name: 'conv' }),
      L.batchNormalization({ name: 'norm' }),
      L.flatten(),
      L.dense({ units: 3, activation: 'softmax', name: 'fc' }),
    ]);
    const seen = new Set(training.nodes.map(({ id }) => id));
    for (const node of training.nodes) {
      for (const input of node.inputs) {
        expect(input.id).toBeLessThan(node.id);
        expect(seen.has(input.id) || input.op === 'Input' || input.op === 'Constant').toBe(true);
      }
      expect(sizeOf(node.shape)).toBeGreaterThan(0);
    }
    const layerOf = (op: string) => training.nodes.find((node) => node.op === op)?.layer;
    expect(layerOf('Conv2D')).toBe('conv');
    expect(layerOf('Rsqrt')).toBe('norm');
    expect(layerOf('MatMul')).toBe('fc');
  });

  it('inputs and outputs say what they are for', async () => {
    const { training, inference, parameters, states } = await trace([6], () => [
      L.dense({ units: 4, name: 'a' }),
      L.batchNormalization({ name: 'b' }),
      L.dropout({ rate: 0.25 }),
      L.dense({ units: 3, activation: 'softmax', name: 'c' }),
    ]);
    const names = (graph: Graph, role: string) =>
      [...graph.inputs, ...graph.outputs].filter((value) => value.role === role).map((value) => ('name' in value ? value.name : role)); // prettier-ignore
    expect(parameters.map(({ name }) => name)).toEqual([
      'a/kernel',
      'a/bias',
      'b/gamma',
      'b/beta',
      'c/kernel',
      'c/bias',
    ]);
    expect(states.map(({ name }) => name)).toEqual(['b/moving_mean', 'b/moving_variance']);
    expect(new Set(names(training, 'gradient'))).toEqual(new Set(parameters.map(({ name }) => name)));
    const random = training.inputs.filter(({ role }) => role === 'random');
    expect(random).toMatchObject([{ random: { kind: 'uniform' }, node: { shape: [4, 4] } }]);
    expect(names(inference, 'random')).toEqual([]);
    expect(training.outputs.filter(({ role }) => role === 'state')).toHaveLength(2);
  });

  it('the gradients of slices are joined: those of the gates of a cell, and those of the steps of a sequence', async () => {
    const recurrentInitializer = 'glorotUniform' as const;
    const { training } = await trace([5, 2], () => [
      L.dense({ units: 2 }),
      L.lstm({ units: 3, recurrentInitializer }),
      L.dense({ units: 2, activation: 'softmax' }),
    ]);
    expect(ops(training)).not.toContain('Pad');
    // Of five steps the four gates each, and of the sequence its steps.
    expect(count(training, 'Concat')).toBe(5 + 1);
  });

  it('a model whose weights are all frozen, or do not move its loss, cannot be trained', async () => {
    const frozen = () => trace([4], () => [L.dense({ units: 2, activation: 'softmax', trainable: false })]);
    await expect(frozen()).rejects.toThrow('the model cannot be trained: none of its 2 weights is trainable; set "trainable" to true in a layer that has weights'); // prettier-ignore
    await onCpu();
    const input = tfl.input({ shape: [4] });
    const outputs = [true, false].map((trainable) => L.dense({ units: 2, activation: 'softmax', trainable }).apply(input) as tfl.SymbolicTensor); // prettier-ignore
    const two = await traceModel(toModel(tfl.model({ inputs: input, outputs })), { loss: 'categoricalCrossentropy', batchSize: 4 }); // prettier-ignore
    await expect(two.training()).rejects.toThrow('its loss depends on none of its 2 trainable weights');
  });

  it('the gradient of batch normalisation takes two passes of sums', async () => {
    const { training } = await trace([8, 8, 2], () => [
      L.conv2d({ filters: 4, kernelSize: 3, useBias: false, name: 'conv' }),
      L.batchNormalization({ name: 'norm' }),
      L.reLU(),
      L.conv2d({ filters: 4, kernelSize: 3, useBias: false }),
      L.flatten(),
      L.dense({ units: 3, activation: 'softmax' }),
    ]);
    const whole = training.nodes.filter(({ op, shape, inputs }) => op === 'Sum' && shape.length === 1 && inputs[0]!.shape.length === 4); // prettier-ignore
    expect(whole.length).toBeLessThanOrEqual(2);
  });

  it('a sum or a mean takes no array of its size: what TensorFlow.js uploads while it is traced stays small', async () => {
    let uploaded = 0;
    const { makeTensor } = tf.engine();
    const spy = vi.spyOn(tf.engine(), 'makeTensor').mockImplementation(function (this: typeof tf, values, ...rest) {
      uploaded = Math.max(uploaded, (values as ArrayLike<number>).length);
      return makeTensor.call(tf.engine(), values, ...rest);
    });
    try {
      const { training } = await trace(
        [24, 24, 2],
        () => [
          L.conv2d({ filters: 4, kernelSize: 3, useBias: false }),
          L.batchNormalization(),
          L.dropout({ rate: 0.5 }),
          L.gaussianNoise({ stddev: 0.1 }),
          L.gaussianDropout({ rate: 0.1 }),
          L.alphaDropout({ rate: 0.1 }),
          L.globalAveragePooling2d({}),
          L.dense({ units: 3, activation: 'softmax' }),
        ],
        128,
      );
      expect(Math.max(...training.nodes.map(({ shape }) => sizeOf(shape)))).toBe(128 * 22 * 22 * 4);
      expect(uploaded).toBeLessThan(1000);
    } finally {
      spy.mockRestore();
    }
  });

  it('for inference no more samples are computed at once than there are; else as many as 16 MB hold', async () => {
    const layers = () => [L.conv2d({ filters: 64, kernelSize: 3 }), L.globalAveragePooling2d({})];
    const batch = async (size: number, more: object) => {
      await onCpu();
      const input = tfl.input({ shape: [size, size, 3] });
      const output = layers().reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, input);
      const model = toModel(tfl.model({ inputs: input, outputs: output }));
      const { inference, inferenceBatchSize } = await traceModel(model, { loss: 'meanSquaredError', batchSize: 7, ...more }); // prettier-ignore
      expect(inference.outputs[0]!.node.shape[0]).toBe(inferenceBatchSize);
      return inferenceBatchSize;
    };
    expect(await batch(10, { purpose: 'inference' })).toBe(7);
    expect(await batch(10, {})).toBe(512);
    expect(await batch(66, {})).toBe(2 ** 22 / (64 * 64 * 64));
    // 512 samples of it would be more than a tensor may hold.
    expect(await batch(402, {})).toBe(1);
  });
});
