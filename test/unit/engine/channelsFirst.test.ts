/** Layers with channels first, as Keras defines them, on every engine: against plain loops in float64. */
import { describe, expect, it } from 'vitest';
import { compiledProvider } from '../../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../../daemon/engine/direct/providers.js';
import { nativeProvider } from '../../../daemon/engine/native/provider.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { modelGraph } from '../../../daemon/model/layers/layerGraph.js';
import { normaliseTopology } from '../../../daemon/model/normalise/normalise.js';
import { UserError } from '../../../daemon/protocol/errors.js';
import { type Grid, at, convolve, depthwise, make, offset, pool, relu, sizeOf, transposed, whole } from './grids.js';

type Weights = Readonly<Record<string, Grid>>;
type Case = [
  name: string,
  className: string,
  config: Record<string, unknown>,
  input: number[],
  oracle: (x: Grid, weights: Weights) => Grid,
];

const repeat = (n: number, value: number): number[] => new Array<number>(n).fill(value);

const convolutions = [1, 2, 3].flatMap((rank): Case[] =>
  [false, true].flatMap((same): Case[] => {
    const size = [3, 2, 2].slice(0, rank);
    const strides = repeat(rank, same ? 2 : 1);
    const space = [6, 5, 4].slice(0, rank);
    const config = { filters: 4, kernel_size: size, strides, padding: same ? 'same' : 'valid', activation: 'relu' };
    const w = { size, strides, same };
    return [
      [`Conv${rank}D ${config.padding}`, `Conv${rank}D`, config, [3, ...space], (x, { kernel, bias }) => relu(convolve(x, w, kernel!, bias))], // prettier-ignore
      [`Conv${rank}D ${config.padding} without bias`, `Conv${rank}D`, { ...config, use_bias: false }, [2, ...space], (x, { kernel }) => relu(convolve(x, w, kernel!))], // prettier-ignore
    ];
  }),
);

const pools = [1, 2, 3].flatMap((rank): Case[] =>
  [false, true].flatMap((same): Case[] => {
    const size = [3, 2, 2].slice(0, rank);
    const strides = repeat(rank, 2);
    const config = { pool_size: size, strides, padding: same ? 'same' : 'valid' };
    const shape = [3, ...[7, 5, 5].slice(0, rank)];
    const w = { size, strides, same };
    return [
      [`MaxPooling${rank}D ${config.padding}`, `MaxPooling${rank}D`, config, shape, (x) => pool(x, w, 'max')],
      [`AveragePooling${rank}D ${config.padding}`, `AveragePooling${rank}D`, config, shape, (x) => pool(x, w, 'mean')],
    ];
  }),
);

const globals = [1, 2].flatMap((rank): Case[] => {
  const shape = [3, ...[5, 4].slice(0, rank)];
  return [
    [`GlobalMaxPooling${rank}D`, `GlobalMaxPooling${rank}D`, {}, shape, (x) => pool(x, whole(x), 'max')],
    [`GlobalAveragePooling${rank}D`, `GlobalAveragePooling${rank}D`, {}, shape, (x) => pool(x, whole(x), 'mean')],
    [`GlobalAveragePooling${rank}D, kept`, `GlobalAveragePooling${rank}D`, { keepdims: true }, shape, (x) => pool(x, whole(x), 'mean')], // prettier-ignore
  ];
});

const square = { size: [3, 2], strides: [1, 1], same: false };
const cases: readonly Case[] = [
  ...convolutions,
  ...pools,
  ...globals,
  ['SeparableConv2D', 'SeparableConv2D', { filters: 5, kernel_size: [3, 2], activation: 'relu', depth_multiplier: 2 }, [3, 6, 5],
    (x, { depthwise_kernel: d, pointwise_kernel: p, bias }) => relu(convolve(depthwise(x, square, d!), { size: [1, 1], strides: [1, 1], same: false }, p!, bias))],
  ['DepthwiseConv2D', 'DepthwiseConv2D', { kernel_size: [3, 2], depth_multiplier: 2, activation: 'relu' }, [3, 6, 5],
    (x, { depthwise_kernel: d, bias }) => relu(depthwise(x, square, d!, bias))],
  ['Conv2DTranspose valid', 'Conv2DTranspose', { filters: 4, kernel_size: [3, 2], strides: [2, 2] }, [3, 4, 5],
    (x, { kernel, bias }) => transposed(x, { size: [3, 2], strides: [2, 2], same: false }, kernel!, bias!)],
  ['Conv2DTranspose same', 'Conv2DTranspose', { filters: 4, kernel_size: [3, 3], strides: [2, 2], padding: 'same' }, [3, 4, 5],
    (x, { kernel, bias }) => transposed(x, { size: [3, 3], strides: [2, 2], same: true }, kernel!, bias!)],
  ['Conv3DTranspose valid', 'Conv3DTranspose', { filters: 2, kernel_size: [2, 2, 3], strides: [1, 2, 1] }, [3, 3, 3, 2],
    (x, { kernel, bias }) => transposed(x, { size: [2, 2, 3], strides: [1, 2, 1], same: false }, kernel!, bias!)],
  ['UpSampling2D', 'UpSampling2D', { size: [2, 3] }, [2, 3, 2],
    (x) => make([2, 6, 6], ([c, i, j]) => at(x, [c!, i! >> 1, Math.floor(j! / 3)]))],
  ['ZeroPadding2D', 'ZeroPadding2D', { padding: [[1, 2], [0, 1]] }, [2, 3, 4],
    (x) => make([2, 6, 5], ([c, i, j]) => (i! >= 1 && i! < 4 && j! < 4 ? at(x, [c!, i! - 1, j!]) : 0))],
  ['Cropping2D', 'Cropping2D', { cropping: [[1, 2], [0, 1]] }, [2, 6, 5],
    (x) => make([2, 3, 4], ([c, i, j]) => at(x, [c!, i! + 1, j!]))],
  // Keras turns the channels to the end before it flattens.
  ['Flatten', 'Flatten', {}, [2, 3, 4],
    (x) => make([24], ([n]) => at(x, [n! % 2, Math.floor(n! / 8), Math.floor(n! / 2) % 4]))],
]; // prettier-ignore

const engines = [
  nativeProvider,
  compiledProvider('cpu'),
  directProviders([process.cwd()]).find(({ id }) => id === 'tfjs-cpu')!,
];

const SAMPLES = 2;

describe('channels first', () => {
  for (const functional of [false, true]) {
    it.each(cases)(`%s, ${functional ? 'functional' : 'Sequential'}`, async (_, className, config, input, oracle) => {
      const layer = {
        class_name: className,
        config: { name: 'under_test', trainable: true, data_format: 'channels_first', ...config } as Record<string, unknown>, // prettier-ignore
      };
      const raw = functional
        ? {
            class_name: 'Functional',
            config: {
              name: 'net',
              layers: [
                { class_name: 'InputLayer', name: 'x', config: { name: 'x', batch_input_shape: [null, ...input] }, inbound_nodes: [] }, // prettier-ignore
                { ...layer, name: 'under_test', inbound_nodes: [[['x', 0, 0, {}]]] },
              ],
              input_layers: [['x', 0, 0]],
              output_layers: [['under_test', 0, 0]],
            },
          }
        : { class_name: 'Sequential', config: { name: 'net', layers: [{ ...layer, config: { ...layer.config, batch_input_shape: [null, ...input] } }] } }; // prettier-ignore
      const { topology, notes } = normaliseTopology(raw, 'net.json', true);
      const random = createRandom(11);
      const draw = (shape: readonly number[]): Grid => ({
        shape,
        values: Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(random.normal())),
      });
      const specs = modelGraph(topology).layers.flatMap((node) => node.weights);
      const weights = specs.map(({ name, shape }) => ({ name, grid: draw(shape as number[]) }));
      const named: Weights = Object.fromEntries(weights.map(({ name, grid }) => [name.split('/').at(-1)!, grid]));
      const x = draw([SAMPLES, ...input]);
      const expected = Array.from({ length: SAMPLES }, (_unused, i) => {
        const size = sizeOf(input);
        return oracle({ shape: input, values: x.values.slice(i * size, (i + 1) * size) }, named);
      });
      const model = {
        kind: 'layers' as const,
        format: 'tfjs-layers' as const,
        path: 'net.json',
        topology,
        weights: weights.map(({ name, grid }) => ({ name, shape: grid.shape, dtype: 'float32' as const, data: Float32Array.from(grid.values) })), // prettier-ignore
        notes,
      };
      let computed = 0;
      for (const engine of engines) {
        if (!(await engine.probe()).available) continue;
        const spec = { loss: 'meanSquaredError', batchSize: SAMPLES, seed: 1, purpose: 'inference' } as const;
        let output: Float32Array;
        try {
          const session = await engine.open(model, spec);
          output = await session.predict([Float32Array.from(x.values)], SAMPLES);
          await session.dispose();
        } catch (error) {
          // A refusal by name is not a wrong answer: the next engine takes the model.
          if (error instanceof UserError && error.code === 'model-unsupported') continue;
          throw error;
        }
        computed++;
        const values = expected.flatMap((grid) => [...grid.values]);
        expect(output.length).toBe(values.length);
        const gap = values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - output[i]!)), 0);
        expect(gap, engine.id).toBeLessThan(2e-5);
      }
      expect(computed).toBeGreaterThanOrEqual(2);
    });
  }

  it.each([true, false])('ConvLSTM2D is what it is with channels last, sequences %s', async (sequences) => {
    const [steps, channels, height, width] = [2, 2, 4, 5];
    const first = make([SAMPLES, steps, channels, height, width], () => 0);
    const random = createRandom(3);
    first.values.forEach((_, i) => (first.values[i] = Math.fround(random.normal())));
    const last = make([SAMPLES, steps, height, width, channels], ([n, t, h, w, c]) => at(first, [n!, t!, c!, h!, w!]));
    for (const engine of engines) {
      if (!(await engine.probe()).available) continue;
      const outputs = [first, last].map(async (x) => {
        const [, ...input] = x.shape;
        const format = x === first ? 'channels_first' : 'channels_last';
        const config = { name: 'cells', filters: 3, kernel_size: [2, 2], data_format: format, return_sequences: sequences, recurrent_activation: 'sigmoid', batch_input_shape: [null, ...input] }; // prettier-ignore
        const raw = {
          class_name: 'Sequential',
          config: { name: 'net', layers: [{ class_name: 'ConvLSTM2D', config }] },
        };
        const { topology } = normaliseTopology(raw, 'net.json', true);
        const draws = createRandom(5);
        const weights = modelGraph(topology).layers.flatMap((node) => node.weights).map(({ name, shape }) => ({
          name,
          shape: shape as number[],
          dtype: 'float32' as const,
          data: Float32Array.from({ length: sizeOf(shape as number[]) }, () => draws.normal()),
        })); // prettier-ignore
        const model = {
          kind: 'layers' as const,
          format: 'tfjs-layers' as const,
          path: 'net.json',
          topology,
          weights,
          notes: [],
        };
        const session = await engine.open(model, { loss: 'meanSquaredError', batchSize: SAMPLES, seed: 1 });
        const output = await session.predict([Float32Array.from(x.values)], SAMPLES);
        const shape = [SAMPLES, ...session.outputShape];
        await session.dispose();
        return make(shape, (index) => output[offset(shape, index)]!);
      });
      const [given, expected] = [await outputs[0]!, await outputs[1]!];
      const lead = given.shape.length - 3;
      const turned = make(given.shape, (index) => {
        const [c, h, w] = index.slice(lead);
        return at(expected, [...index.slice(0, lead), h!, w!, c!]);
      });
      expect(given.shape.slice(lead)).toEqual([3, 3, 4]);
      expect(Math.max(...turned.values.map((value, i) => Math.abs(value - given.values[i]!)))).toBeLessThan(1e-5);
    }
  });

  it('is refused by name inside a wrapper, with a softmax, and where TensorFlow.js trained it wrongly', () => {
    const conv = { class_name: 'Conv1D', config: { name: 'conv', filters: 2, kernel_size: [2], data_format: 'channels_first' } }; // prettier-ignore
    const net = (layer: object) => ({ class_name: 'Sequential', config: { name: 'net', layers: [layer] } });
    const wrapped = { class_name: 'TimeDistributed', config: { name: 'td', batch_input_shape: [null, 3, 2, 6], layer: conv } }; // prettier-ignore
    expect(() => normaliseTopology(net(wrapped), 'net.json', true)).toThrow(/"td" wraps a Conv1D with channels first/);
    const softmax = { ...conv, config: { ...conv.config, activation: 'softmax', batch_input_shape: [null, 2, 6] } };
    expect(() => normaliseTopology(net(softmax), 'net.json', true)).toThrow(
      /"conv" is a Conv1D with channels first and a softmax/,
    );
    const plain = { ...conv, config: { ...conv.config, batch_input_shape: [null, 2, 6] } };
    expect(() => normaliseTopology(net(plain), 'net.json', false)).toThrow(/"conv" is a Conv1D.*train again/);
  });
});
