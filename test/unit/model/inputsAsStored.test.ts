import { expect, it } from 'vitest';
import { inputsAsStored } from '../../../daemon/model/setup/inputsAsStored.js';
import { builtModel } from '../export/builtModel.js';

const layer = (class_name: string, name: string, config: Record<string, unknown>, ...inputs: string[]) => ({
  class_name,
  name,
  config: { name, ...config },
  inbound_nodes: inputs.length > 0 ? [inputs.map((input) => [input, 0, 0, {}])] : [],
});
const inputOf = (name: string, shape: number[], dtype = 'float32') =>
  layer('InputLayer', name, { batch_input_shape: [null, ...shape], dtype, sparse: false });
const dense = (name: string, ...inputs: string[]) =>
  layer('Dense', name, { units: 2, activation: 'linear', use_bias: true }, ...inputs);

/** A functional model; every layer without readers is an output. */
function verdicts(...layers: ReturnType<typeof layer>[]) {
  const inputs = layers.filter(({ class_name }) => class_name === 'InputLayer');
  const last = layers.at(-1)!;
  const { topology } = builtModel({
    class_name: 'Functional',
    config: {
      name: 'model',
      layers,
      input_layers: inputs.map(({ name }) => [name, 0, 0]),
      output_layers: [[last.name, 0, 0]],
    },
  });
  return inputsAsStored(topology);
}

const NORM = { axis: -1, momentum: 0.99, epsilon: 1e-3, center: true, scale: true };

it('token ids, beside numbers that any scale may fit', () => {
  const found = verdicts(
    inputOf('ids', [4]),
    inputOf('numbers', [3]),
    layer('Embedding', 'words', { input_dim: 9, output_dim: 2, input_length: 4 }, 'ids'),
    layer('Flatten', 'flat', {}, 'words'),
    layer('Concatenate', 'both', { axis: -1 }, 'flat', 'numbers'),
    dense('out', 'both'),
  );
  expect(found).toEqual([{ because: 'the layer "words" (Embedding)', identifiers: true, count: 9 }, null]);
});

it('token ids that two layers read are those that both know', () => {
  const found = verdicts(
    inputOf('ids', [4]),
    layer('Embedding', 'more', { input_dim: 12, output_dim: 2, input_length: 4 }, 'ids'),
    layer('Embedding', 'fewer', { input_dim: 7, output_dim: 2, input_length: 4 }, 'ids'),
    layer('Concatenate', 'both', { axis: -1 }, 'more', 'fewer'),
    dense('out', 'both'),
  );
  expect(found).toEqual([{ because: 'the layer "fewer" (Embedding)', identifiers: true, count: 7 }]);
});

it('an integer type in the topology', () => {
  expect(verdicts(inputOf('a', [3], 'int32'), dense('out', 'a'))).toEqual([
    { because: 'its data type int32 in the model', identifiers: true },
  ]);
});

it.each([
  ['Rescaling', { scale: 1 / 255, offset: 0 }],
  ['BatchNormalization', NORM],
  ['Normalization', { axis: -1, mean: null, variance: null }],
])('%s first, through layers that only move values', (name, config) => {
  const found = verdicts(
    inputOf('a', [4, 4, 1]),
    layer('ZeroPadding2D', 'pad', { padding: [[1, 1], [1, 1]], data_format: 'channels_last' }, 'a'),
    layer('Permute', 'turned', { dims: [2, 1, 3] }, 'pad'),
    layer(name, 'first', config, 'turned'),
    layer('Flatten', 'flat', {}, 'first'),
    dense('out', 'flat'),
  ); // prettier-ignore
  expect(found).toEqual([{ because: `the layer "first" (${name})`, identifiers: false }]);
});

it('a normalisation behind a layer that computes, or beside one, is no evidence', () => {
  expect(verdicts(inputOf('a', [4]), dense('one', 'a'), layer('BatchNormalization', 'n', NORM, 'one'))).toEqual([null]);
  const beside = verdicts(
    inputOf('a', [4]),
    layer('BatchNormalization', 'n', NORM, 'a'),
    layer('Add', 'both', {}, 'n', 'a'),
    dense('out', 'both'),
  );
  expect(beside).toEqual([null]);
});

it('a Sequential, its first layer nested or not', () => {
  const inner = (layers: object[]) => ({ class_name: 'Sequential', config: { name: 'inner', layers } });
  const rescaling = { class_name: 'Rescaling', config: { name: 'r', scale: 2, offset: 0, batch_input_shape: [null, 3] } };
  const out = { class_name: 'Dense', config: { name: 'out', units: 2, activation: 'linear', use_bias: true } };
  const model = (layers: object[]) =>
    inputsAsStored(builtModel({ class_name: 'Sequential', config: { name: 'm', layers } }).topology);
  const wanted = [{ because: 'the layer "r" (Rescaling)', identifiers: false }];
  expect(model([rescaling, out])).toEqual(wanted);
  expect(model([inner([rescaling]), out])).toEqual(wanted);
}); // prettier-ignore
