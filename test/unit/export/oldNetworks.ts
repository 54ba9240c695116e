/** Topologies as old TensorFlow.js, Keras 2 and tf.keras saved them, written by hand: keys and values that no reader of today takes as they are. */
type Json = Record<string, unknown>;

export interface OldNetwork {
  readonly name: string;
  /** Written by Python's Keras. */
  readonly keras: boolean;
  readonly topology: { readonly class_name: string; readonly config: unknown };
  /** Inputs are whole numbers below it. */
  readonly tokens?: number;
}

const layer = (class_name: string, config: Json): Json => ({ class_name, config: { trainable: true, ...config } });
const sequential = (...layers: Json[]) => ({ class_name: 'Sequential', config: { name: 'net', layers } });
const first = (...shape: number[]): Json => ({ batch_input_shape: [null, ...shape], dtype: 'float32' });
/** tf.keras up to 2.2. */
const typed = (class_name: string): Json => ({ class_name, config: { seed: null, dtype: 'float32' } });
/** TensorFlow.js before 1.0 lost the mode. */
const modeless = {
  class_name: 'VarianceScaling',
  config: { scale: 1, mode: null, distribution: 'truncated_normal', seed: null },
};
const tfKerasKernel: Json = {
  kernel_initializer: typed('GlorotUniform'),
  kernel_regularizer: null,
  kernel_constraint: null,
};
const recurrent: Json = {
  use_bias: true,
  kernel_initializer: typed('VarianceScaling'),
  recurrent_initializer: { class_name: 'Orthogonal', config: { gain: 1, seed: null, dtype: 'float32' } },
  bias_initializer: typed('Zeros'),
  activity_regularizer: null,
  implementation: 2,
  dropout: 0,
  recurrent_dropout: null,
  return_sequences: true,
  return_state: false,
  go_backwards: false,
  stateful: false,
  unroll: false,
  time_major: false,
};
const node = (name: string, index = 0): unknown[] => [[name, index, 0, {}]];
const entry = (class_name: string, name: string, config: Json, ...nodes: unknown[]): Json => ({
  ...layer(class_name, { name, ...config }),
  name,
  inbound_nodes: nodes,
});

export const oldNetworks: readonly OldNetwork[] = [
  {
    name: 'LSTM, GRU and SimpleRNN of tf.keras, hard_sigmoid',
    keras: true,
    topology: sequential(
      layer('LSTM', { name: 'a', units: 4, activation: 'tanh', recurrent_activation: 'hard_sigmoid', unit_forget_bias: true, ...recurrent, ...first(5, 3) }),
      layer('GRU', { name: 'b', units: 3, activation: 'hard_sigmoid', recurrent_activation: 'hard_sigmoid', reset_after: false, ...recurrent }),
      layer('Bidirectional', { name: 'c', merge_mode: 'concat', layer: layer('LSTM', { name: 'inner', units: 2, recurrent_activation: 'hard_sigmoid', ...recurrent }) }),
      layer('SimpleRNN', { name: 'd', units: 3, activation: 'hard_sigmoid', ...recurrent, return_sequences: false }),
      layer('Dense', { name: 'e', units: 2, activation: 'softmax', ...tfKerasKernel }),
    ),
  },
  {
    name: 'a convolutional network of early TensorFlow.js',
    keras: false,
    topology: sequential(
      layer('Conv2D', { name: 'a', kernelSize: [3, 3], filters: 4, strides: [1, 1], padding: 'same', dataFormat: 'channelsLast', dilationRate: [1, 1], activation: 'relu', useBias: true, kernelInitializer: modeless, biasInitializer: { class_name: 'Zeros', config: {} }, kernelRegularizer: null, biasRegularizer: null, activityRegularizer: null, kernelConstraint: null, biasConstraint: null, batchInputShape: [null, 6, 6, 2] }),
      layer('MaxPooling2D', { name: 'b', poolSize: [2, 2], padding: 'valid', strides: [2, 2], dataFormat: 'channelsLast' }),
      layer('Dropout', { name: 'c', rate: null, noiseShape: null, seed: null }),
      layer('Flatten', { name: 'd' }),
      layer('Dense', { name: 'e', units: 4, activation: 'hardSigmoid', useBias: true, kernelInitializer: modeless, kernelConstraint: { class_name: 'MaxNorm', config: { maxValue: 2, axis: [0] } } }),
      layer('ThresholdedReLU', { name: 'f', theta: 0.4 }),
      layer('Dense', { name: 'g', units: 3, activation: 'softmax', kernel_regularizer: { class_name: 'L1L2', config: { l1: 0.01, l2: 0 } } }),
    ),
  },
  {
    name: 'an EEGNet of tf.keras: SeparableConv2D with settings of a kernel that it does not have',
    keras: true,
    topology: sequential(
      layer('Conv2D', { name: 'a', filters: 4, kernel_size: [1, 3], padding: 'same', use_bias: false, data_format: 'channels_last', ...tfKerasKernel, ...first(4, 9, 1) }),
      layer('BatchNormalization', { name: 'b', axis: [3], momentum: 0.99, epsilon: 0.001, center: true, scale: true, renorm: false, fused: true, virtual_batch_size: null }),
      layer('DepthwiseConv2D', { name: 'c', kernel_size: [4, 1], strides: [1, 1], padding: 'valid', depth_multiplier: 2, dilation_rate: [1, 1], groups: 1, use_bias: false, ...tfKerasKernel, depthwise_initializer: typed('GlorotUniform'), depthwise_constraint: { class_name: 'MaxNorm', config: { max_value: 1, axis: 0 } } }),
      layer('Activation', { name: 'd', activation: 'elu' }),
      layer('AveragePooling2D', { name: 'e', pool_size: [1, 2], strides: [1, 2], padding: 'valid', data_format: 'channels_last' }),
      layer('SpatialDropout2D', { name: 'f', rate: 0.25, noise_shape: null, seed: null, data_format: 'channels_last' }),
      layer('SeparableConv2D', { name: 'g', filters: 5, kernel_size: [1, 2], strides: [1, 1], padding: 'same', depth_multiplier: 1, use_bias: true, groups: 1, ...tfKerasKernel, depthwise_initializer: typed('GlorotUniform'), pointwise_initializer: typed('GlorotUniform') }),
      layer('Flatten', { name: 'h', data_format: 'channels_last' }),
      layer('Dense', { name: 'i', units: 2, activation: 'softmax', ...tfKerasKernel }),
    ),
  },
  {
    name: 'nested Sequentials with ends in lists, one called twice',
    keras: true,
    topology: {
      class_name: 'Model',
      config: {
        name: 'net',
        layers: [
          entry('InputLayer', 'in', { batch_input_shape: [null, 5], sparse: false, ragged: false }),
          entry('Sequential', 'encoder', { layers: [layer('Dense', { name: 'inside', units: 4, activation: 'hard_sigmoid', ...first(5) })] }, node('in'), node('square')),
          entry('Dense', 'square', { units: 5, ...tfKerasKernel }, node('in')),
          entry('Add', 'sum', {}, [['encoder', 1, 0, {}], ['encoder', 2, 0, {}]]),
          entry('Model', 'head', {
            layers: [
              entry('InputLayer', 'given', { batch_input_shape: [null, 4] }),
              entry('Dense', 'out', { units: 2, activation: 'sigmoid' }, node('given')),
            ],
            input_layers: [['given', 0, 0]],
            output_layers: [['out', 0, 0]],
          }, node('sum')),
        ],
        input_layers: [['in', 0, 0]],
        output_layers: [['head', 1, 0]],
      },
    },
  },
  {
    name: 'a Sequential of Sequentials',
    keras: false,
    topology: sequential(
      { class_name: 'Sequential', config: { name: 'body', layers: [layer('Dense', { name: 'a', units: 4, activation: 'relu', ...first(5) }), layer('BatchNormalization', { name: 'b', axis: -1 })] } },
      { class_name: 'Sequential', config: { name: 'head', layers: [layer('Dense', { name: 'c', units: 2, ...first(4) }), layer('Activation', { name: 'd', activation: 'hardSigmoid' })] } },
    ),
  },
  {
    name: 'words of Keras 2',
    keras: true,
    tokens: 7,
    topology: sequential(
      layer('Embedding', { name: 'a', input_dim: 7, output_dim: 3, input_length: 6, mask_zero: false, batch_input_shape: [null, 6], dtype: 'int32', embeddings_initializer: { class_name: 'RandomUniform', config: { minval: -0.05, maxval: 0.05, seed: null, dtype: 'float32' } } }),
      layer('SpatialDropout1D', { name: 'b', rate: 0.2, noise_shape: null, seed: null }),
      layer('Conv1D', { name: 'c', filters: 4, kernel_size: [2], strides: [1], padding: 'valid', data_format: 'channels_last', activation: 'relu', ...tfKerasKernel }),
      layer('GlobalMaxPooling1D', { name: 'd', data_format: 'channels_last' }),
      layer('Dense', { name: 'e', units: 1, activation: 'sigmoid', ...tfKerasKernel, kernel_regularizer: { class_name: 'L2', config: { l2: 0.01 } } }),
    ),
  },
  {
    name: 'Conv1D and SeparableConv2D of channels first',
    keras: true,
    topology: sequential(
      layer('Reshape', { name: 'a', target_shape: [2, 12], ...first(24) }),
      layer('Conv1D', { name: 'b', filters: 4, kernel_size: [3], strides: [2], padding: 'same', data_format: 'channels_first', activation: 'tanh', ...tfKerasKernel }),
      layer('Reshape', { name: 'c', target_shape: [2, 4, 3] }),
      layer('SeparableConv2D', { name: 'd', filters: 3, kernel_size: [2, 2], data_format: 'channels_first', ...tfKerasKernel }),
      layer('Flatten', { name: 'e' }),
      layer('Dense', { name: 'f', units: 2 }),
    ),
  },
  {
    name: 'ReLU with a slope and cells of an RNN',
    keras: true,
    topology: sequential(
      layer('RNN', { name: 'a', return_sequences: true, time_major: false, zero_output_for_mask: false, cell: layer('StackedRNNCells', { name: 's', cells: [layer('LSTMCell', { name: 'l', units: 3, recurrent_activation: 'hard_sigmoid' }), layer('GRUCell', { name: 'g', units: 2, recurrent_activation: 'hard_sigmoid', reset_after: false })] }), ...first(4, 2) }),
      layer('TimeDistributed', { name: 'b', layer: layer('Dense', { name: 'inner', units: 3, activation: 'hard_sigmoid', ...tfKerasKernel }) }),
      layer('ReLU', { name: 'c', max_value: null, negative_slope: 0.1, threshold: 0 }),
      layer('LeakyReLU', { name: 'd', alpha: 0.30000001192092896 }),
      layer('Flatten', { name: 'e' }),
      layer('Dense', { name: 'f', units: 2 }),
    ),
  },
]; // prettier-ignore
