/** Operations read from files compute what they are defined to, in values and gradients, on every kind of engine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiledProvider } from '../../../../daemon/engine/compiled/provider.js';
import { directProviders } from '../../../../daemon/engine/direct/providers.js';
import type { EngineProvider } from '../../../../daemon/engine/engine.js';
import { nativeProvider } from '../../../../daemon/engine/native/provider.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { layersOf, type LayerJson } from '../../../../daemon/model/layers/layerConfig.js';
import type { LayersModel, Topology } from '../../../../daemon/model/model.js';
import { normaliseTopology } from '../../../../daemon/model/normalise/normalise.js';
import { Notes } from '../../../../daemon/model/notes.js';
import { readOperations } from '../../../../daemon/model/operations/readOperations.js';
import { UserError } from '../../../../daemon/protocol/errors.js';
import { onCpu } from '../../engine/compiled/tinyModels.js';
import { CASES, TENSORFLOW, X, type Case, type Sample } from './cases.js';

const engines: EngineProvider[] = [
  nativeProvider,
  compiledProvider('cpu'),
  directProviders(['.']).find(({ id }) => id === 'tfjs-cpu')!,
];
const BATCH = 3;
const random = createRandom(11);
const numbers = (n: number): Float32Array => Float32Array.from({ length: n }, () => random.normal());
// Three features for each of two rows; no value at a kink of any operation.
const inputs = numbers(BATCH * 6);
const kernel = numbers(9);
const bias = numbers(3);

const tensor = (history: [string, number, number]) => ({ class_name: '__keras_tensor__', config: { shape: [null, 2, 3], dtype: 'float32', keras_history: history } }); // prettier-ignore
const filled = (value: unknown): unknown =>
  value === X ? tensor(['before', 0, 0]) : Array.isArray(value) ? (value as unknown[]).map(filled) : value;

const around = (operation: object, keras3: boolean) => ({
  class_name: 'Functional',
  config: {
    name: 'model',
    trainable: true,
    layers: [
      { class_name: 'InputLayer', name: 'input', inbound_nodes: [], config: { name: 'input', batch_input_shape: [null, 2, 3], dtype: 'float32' } },
      {
        class_name: 'Dense',
        name: 'before',
        config: { name: 'before', trainable: true, units: 3, activation: 'linear', use_bias: true },
        inbound_nodes: [keras3 ? { args: [tensor(['input', 0, 0])], kwargs: {} } : [['input', 0, 0, {}]]],
      },
      operation,
    ],
    input_layers: [['input', 0, 0]],
    output_layers: [['op', 0, 0]],
  },
}); // prettier-ignore

const ofKeras3 = ({ module, className, config, args }: Case) =>
  around(
    {
      ...(module !== '' && { module, registered_name: className }),
      class_name: className,
      name: 'op',
      config: { name: 'op', ...config },
      inbound_nodes: [{ args: args.map(filled), kwargs: {} }],
    },
    true,
  );

const asModel = (topology: Topology): LayersModel => ({
  kind: 'layers',
  format: 'keras-v3',
  path: 'model.keras',
  topology,
  weights: [
    { name: 'before/kernel', shape: [3, 3], dtype: 'float32', data: kernel },
    { name: 'before/bias', shape: [3], dtype: 'float32', data: bias },
  ],
  notes: [],
});

const last = (topology: Topology): LayerJson => layersOf(topology as LayerJson).at(-1)!;

/** The same with the operation left what it is. */
function asOperation(raw: ReturnType<typeof around>, topology: Topology): Topology {
  const container = structuredClone(raw) as unknown as LayerJson;
  const refuseAt = () => (problem: string) => expect.fail(problem);
  readOperations(container, '', new Notes(), refuseAt, { left: new Set(), masked: true });
  const copy = structuredClone(topology);
  Object.assign(last(copy), { class_name: 'Operation', config: layersOf(container).at(-1)!.config });
  return copy;
}

/** Outputs of all samples, in float64, for the weights [kernel, bias]. */
function outputs(of: Case['of'], weights: ArrayLike<number>): number[] {
  return Array.from({ length: BATCH }, (_, i) => {
    const sample: Sample = [0, 1].map((row) =>
      [0, 1, 2].map((j) => [0, 1, 2].reduce((sum, k) => sum + inputs[6 * i + 3 * row + k]! * weights[3 * k + j]!, weights[9 + j]!)),
    ); // prettier-ignore
    return of(sample);
  }).flat();
}

async function check(topology: Topology, of: Case['of'], shape: readonly number[], slow?: boolean): Promise<void> {
  const weights = [...kernel, ...bias];
  const expected = outputs(of, weights);
  const target = expected.map((_, i) => Math.sin(i));
  const loss = (at: readonly number[]) => outputs(of, at).reduce((sum, y, i) => sum + (y - target[i]!) ** 2, 0) / expected.length; // prettier-ignore
  const step = 1e-5;
  const slopes = weights.map((_, i) => (loss(weights.with(i, weights[i]! + step)) - loss(weights.with(i, weights[i]! - step))) / (2 * step)); // prettier-ignore
  const size = Math.max(1e-3, ...slopes.map(Math.abs));
  for (const engine of slow ? engines.slice(1) : engines) {
    const session = await engine.open(asModel(topology), { loss: 'meanSquaredError', batchSize: BATCH, seed: 0 });
    expect(session.outputShape).toEqual(shape);
    const found = await session.predict([inputs], BATCH);
    expect(found.length).toBe(expected.length);
    expected.forEach((value, i) => expect(Math.abs(found[i]! - value), engine.id).toBeLessThan(2e-5 * Math.max(1, Math.abs(value)))); // prettier-ignore
    const { loss: measured, gradient } = await session.gradient([inputs], Float32Array.from(target));
    expect(Math.abs(measured - loss(weights)) / Math.max(1, loss(weights)), engine.id).toBeLessThan(1e-4);
    slopes.forEach((value, i) => expect(Math.abs(gradient[i]! - value) / size, `${engine.id}, weight ${i}`).toBeLessThan(2e-3)); // prettier-ignore
    await session.dispose();
  }
}

beforeAll(onCpu);
afterAll(onCpu);

describe('operations of Keras 3', () => {
  it.each(CASES.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const raw = ofKeras3(one);
    const { topology } = normaliseTopology(raw, 'model.keras', true);
    expect(last(topology).class_name).toBe(one.layer ?? 'Operation');
    // As it is written into a run's folder.
    expect(normaliseTopology(JSON.parse(JSON.stringify(topology)), 'model.json', false).topology).toEqual(topology);
    await check(topology, one.of, one.shape, one.slow);
    // Behind a mask it stays an operation: of the same values.
    if (one.layer !== undefined && layersOf(topology as LayerJson).length === 3)
      await check(asOperation(raw, topology), one.of, one.shape);
  });
});

describe('operations of tf.keras', () => {
  it.each(TENSORFLOW)('%s', async (fn, node, of, shape) => {
    const className = fn.endsWith('getitem') ? 'SlicingOpLambda' : 'TFOpLambda';
    const raw = around({ class_name: className, name: 'op', config: { name: 'op', trainable: true, dtype: 'float32', function: fn }, inbound_nodes: [node] }, false); // prettier-ignore
    await check(normaliseTopology(raw, 'model.h5', true).topology, of, shape);
  });
});

describe('operations that are refused', () => {
  it.each([
    ['FFT', [X], {}, /"op" is the operation FFT, which is none that can be computed here/],
    ['Mean', [X], { axis: null, keepdims: false }, /reduces over all axes/],
    ['Mean', [X], { axis: 0, keepdims: false }, /over the samples of a batch/],
    ['GetItem', [X, 0], {}, /picks samples of a batch/],
    ['GetItem', [X, [{ class_name: '__slice__', config: { start: null, stop: null, step: null } }, 7]], {}, /of inputs of \[2, 3\], which do not fit it/],
    ['Add', [X, { class_name: '__numpy__', config: { value: [1, 2, 3], dtype: 'float32' } }], {}, /array of constants/],
    ['Reshape', [X], { newshape: [4, 3] }, /gives the batch a size/],
    ['Cast', [X], { dtype: 'int32' }, /casts to int32/],
  ] as [string, unknown[], object, RegExp][])('%s %j %j', (className, args, config, message) => {
    const raw = ofKeras3({ name: '', module: 'keras.src.ops.numpy', className, config: { ...config }, args, of: () => [], shape: [] }); // prettier-ignore
    expect(() => normaliseTopology(raw, 'model.keras', true)).toThrow(UserError);
    expect(() => normaliseTopology(raw, 'model.keras', true)).toThrow(message);
  });
}); // prettier-ignore
