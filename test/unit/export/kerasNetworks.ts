/** Networks of Keras with layers and settings that TensorFlow.js does not have, as Keras 3 writes their configs. */
type Json = Record<string, unknown>;

export interface KerasNetwork {
  readonly name: string;
  readonly topology: { readonly class_name: string; readonly config: unknown };
  /** Inputs are whole numbers below it. */
  readonly tokens?: number;
  /** Formats that cannot hold it, with the reason. */
  readonly refused?: Readonly<Record<string, RegExp>>;
}

const layer = (class_name: string, name: string, config: Json = {}): Json => ({
  class_name,
  config: { name, trainable: true, ...config },
});
const sequential = (name: string, ...layers: Json[]) => ({ class_name: 'Sequential', config: { name, layers } });
const input = (...shape: (number | null)[]): Json =>
  layer('InputLayer', 'in', { batch_shape: [null, ...shape], dtype: 'float32' });
const dense = (name: string, units: number, activation = 'linear'): Json =>
  layer('Dense', name, { units, activation, use_bias: true });
const conv1d = (name: string, config: Json): Json =>
  layer('Conv1D', name, {
    kernel_size: [3],
    strides: [1],
    padding: 'causal',
    data_format: 'channels_last',
    dilation_rate: [1],
    groups: 1,
    activation: 'relu',
    use_bias: true,
    ...config,
  });
const normalization = (name: string, config: Json = {}): Json =>
  layer('Normalization', name, { axis: [-1], invert: false, mean: null, variance: null, ...config });
const gru = (name: string, config: Json): Json =>
  layer('GRU', name, {
    units: 4,
    activation: 'tanh',
    recurrent_activation: 'sigmoid',
    use_bias: true,
    dropout: 0,
    recurrent_dropout: 0,
    reset_after: true,
    ...config,
  });
/** A layer of a functional model, called once on the outputs of others. */
const wired = (own: Json, name: string, ...from: string[]): Json => ({
  ...own,
  name,
  inbound_nodes: from.length === 0 ? [] : [from.map((other) => [other, 0, 0, {}])],
});
const inTfjs = (why: RegExp) => Object.fromEntries(['tfjs-layers', 'tfjs-layers-thinned'].map((id) => [id, why]));

export const kerasNetworks: readonly KerasNetwork[] = [
  {
    name: 'Normalization in front, hidden and inverted',
    topology: sequential('m', input(6), normalization('front'), dense('a', 12, 'relu'), normalization('hidden'), dense('b', 5, 'tanh'), normalization('single', { axis: null }), dense('c', 3), normalization('back', { invert: true, mean: [[1, 2, 3]], variance: [[4, 0.25, 0]] })),
  },
  {
    name: 'Normalization of images, by rows and by channels',
    topology: sequential('m', input(4, 5, 3), normalization('channels', { axis: [3] }), normalization('rows', { axis: [1] }), layer('Conv2D', 'a', { filters: 6, kernel_size: [2, 2], strides: [1, 1], padding: 'same', activation: 'relu' }), normalization('hidden'), layer('GlobalAveragePooling2D', 'p', { keepdims: false }), dense('b', 2)),
  },
  {
    name: 'Normalization in a nested model, called twice',
    topology: {
      class_name: 'Functional',
      config: {
        name: 'm',
        layers: [
          { ...input(4), name: 'in', inbound_nodes: [] },
          { ...sequential('inner', layer('InputLayer', 'inner_in', { batch_shape: [null, 4], dtype: 'float32' }), normalization('n'), dense('a', 4, 'relu')), name: 'inner', inbound_nodes: [[['in', 0, 0, {}]], [['inner', 1, 0, {}]]] },
          { ...dense('b', 2), name: 'b', inbound_nodes: [[['inner', 2, 0, {}]]] },
        ],
        input_layers: [['in', 0, 0]],
        output_layers: [['b', 0, 0]],
      },
    },
  },
  {
    name: 'Normalization of several axes',
    topology: sequential('m', input(4, 3), normalization('n', { axis: [1, 2] }), layer('Flatten', 'f'), dense('a', 8, 'relu'), dense('b', 2)),
    refused: { ...inTfjs(/layer "n" is a Normalization of several axes, .*export onnx or keras/), 'keras-h5': /layer "n" has several axes, which Keras 3 drops from HDF5 files/ },
  },
  {
    name: 'Conv1D of padding causal, dilated and with strides',
    topology: sequential('m', input(12, 2), conv1d('a', { filters: 5 }), conv1d('b', { filters: 6, dilation_rate: [2] }), conv1d('c', { filters: 6, kernel_size: [2], strides: [2], activation: 'linear' }), layer('Flatten', 'f'), dense('d', 2)),
  },
  {
    name: 'Conv1D of padding causal, called twice and its first input declared',
    topology: {
      class_name: 'Functional',
      config: {
        name: 'm',
        layers: [
          { ...input(9, 3), name: 'in', inbound_nodes: [] },
          { ...conv1d('a', { filters: 3, dilation_rate: [4] }), name: 'a', inbound_nodes: [[['in', 0, 0, {}]], [['s', 0, 0, {}]]] },
          { ...layer('Add', 's'), name: 's', inbound_nodes: [[['in', 0, 0, {}], ['a', 0, 0, {}]]] },
          { ...sequential('inner', conv1d('b', { filters: 4, batch_input_shape: [null, 9, 3] }), layer('GlobalMaxPooling1D', 'p', { keepdims: false })), name: 'inner', inbound_nodes: [[['a', 1, 0, {}]]] },
        ],
        input_layers: [['in', 0, 0]],
        output_layers: [['inner', 1, 0]],
      },
    },
  },
  {
    name: 'GRU with reset_after, one way and both, and in cells',
    topology: sequential('m', input(6, 3), gru('a', { return_sequences: true }), layer('Bidirectional', 'b', { merge_mode: 'concat', layer: gru('inner', { units: 2, return_sequences: true, recurrent_activation: 'hard_sigmoid' }) }), layer('RNN', 'c', { cell: layer('StackedRNNCells', 's', { cells: [layer('GRUCell', 'one', { units: 3, recurrent_activation: 'sigmoid', reset_after: true, use_bias: false }), layer('GRUCell', 'two', { units: 2, recurrent_activation: 'sigmoid', reset_after: true })] }), return_sequences: true }), gru('d', { go_backwards: true }), dense('e', 2)),
    refused: inTfjs(/layer "a" is or wraps a GRU with reset_after=true, which TensorFlow.js cannot compute; export onnx or keras/),
  },
  {
    name: 'GRU with reset_after over masked tokens',
    topology: sequential('m', layer('Embedding', 'e', { input_dim: 6, output_dim: 4, mask_zero: true, batch_input_shape: [null, 5] }), gru('a', {}), normalization('n'), dense('b', 2)),
    tokens: 6,
    refused: inTfjs(/layer "a" is or wraps a GRU with reset_after=true/),
  },
  {
    name: 'a residual block of a TCN with gates of a WaveNet',
    topology: {
      class_name: 'Functional',
      config: {
        name: 'm',
        layers: [
          wired(input(10, 2), 'in'),
          wired(normalization('n'), 'n', 'in'),
          wired(conv1d('short', { filters: 6, kernel_size: [1], padding: 'same', activation: 'linear' }), 'short', 'n'),
          wired(conv1d('c1', { filters: 8, dilation_rate: [1], activation: 'linear' }), 'c1', 'n'),
          wired(layer('BatchNormalization', 'bn', { axis: -1, momentum: 0.9, epsilon: 0.01, center: true, scale: true }), 'bn', 'c1'),
          wired(layer('SpatialDropout1D', 'drop', { rate: 0.2 }), 'drop', 'bn'),
          wired(conv1d('filter', { filters: 6, dilation_rate: [2], activation: 'tanh' }), 'filter', 'drop'),
          wired(conv1d('gate', { filters: 6, dilation_rate: [2], activation: 'sigmoid' }), 'gate', 'drop'),
          wired(layer('Multiply', 'gated'), 'gated', 'filter', 'gate'),
          wired(layer('Add', 'sum'), 'sum', 'short', 'gated'),
          wired(conv1d('c2', { filters: 5, dilation_rate: [4] }), 'c2', 'sum'),
          wired(layer('GlobalAveragePooling1D', 'p', { keepdims: false }), 'p', 'c2'),
          wired(dense('out', 2), 'out', 'p'),
        ],
        input_layers: [['in', 0, 0]],
        output_layers: [['out', 0, 0]],
      },
    },
  },
]; // prettier-ignore
