/**
 * The arguments of Keras 3's layers (3.15, keras.io/api/layers), as far as a model file may hold them.
 *
 * Initializers are Keras's defaults whatever a file has: a trained model's values come from the file, and of initializers
 * every generation has its own names, keys and faults. Regularizers and constraints are part of training and are kept.
 */
import {
  activation, anything, axis, borders, constraint, deviation, flag, integer, integers, noiseShape, nonNegative, number, numbers, oneOf,
  positive, regularizer, share, sizes, targetShape, text, type Kind,
} from './values.js'; // prettier-ignore

export interface Argument {
  readonly kind: Kind;
  /** Written where a file has none or null: TensorFlow.js's default where Keras has another or none. */
  readonly absent?: unknown;
  /** The layer cannot be made without it. */
  readonly required?: true;
  /** null is a value of its own. */
  readonly nullable?: true;
}
export type Arguments = Readonly<Record<string, Argument>>;

const optional = (kind: Kind): Argument => ({ kind });
const required = (kind: Kind): Argument => ({ kind, required: true });
const or = (kind: Kind, absent: unknown): Argument => ({ kind, absent });

const all = (names: readonly string[], kind: Kind): Arguments =>
  Object.fromEntries(names.map((name) => [name, optional(kind)]));
/** By the name of a weight; glorot_uniform for every other. */
const INITIALIZERS: Readonly<Record<string, string>> = {
  recurrent: 'orthogonal', bias: 'zeros', beta: 'zeros', gamma: 'ones', alpha: 'zeros', embeddings: 'random_uniform',
}; // prettier-ignore
const initializer = (name: string): Argument => {
  const own = INITIALIZERS[name] ?? 'glorot_uniform';
  return or(() => own, own);
};
/** Initializers, regularizers and constraints of the named weights. */
const weights = (...names: readonly string[]): Arguments => ({
  ...Object.fromEntries(names.map((name) => [`${name}_initializer`, initializer(name)])),
  ...all(names.map((name) => `${name}_regularizer`), regularizer),
  ...all(names.map((name) => `${name}_constraint`), constraint),
}); // prettier-ignore

/** Of every layer, but for spatial dropout. */
const BASE: Arguments = {
  name: required(text),
  trainable: optional(flag),
  // Layers compute in float32; early files name the type of a layer's input here, Keras that of its weights.
  dtype: or(() => 'float32', 'float32'),
  activity_regularizer: optional(regularizer),
};
const layer = (own: Arguments): Arguments => ({ ...BASE, ...own });

/** Said in the file: a reader's own default may be the other one. */
const DATA_FORMAT: Arguments = { data_format: or(oneOf('channels_last', 'channels_first'), 'channels_last') };
const BIAS: Arguments = { use_bias: optional(flag) };
const linear = (kernel: string): Arguments => ({
  activation: optional(activation),
  ...BIAS,
  ...weights(kernel, 'bias'),
});
const windows = (n: number, padding: Kind): Arguments => ({
  kernel_size: required(sizes(n)),
  strides: optional(sizes(n)),
  padding: optional(padding),
  dilation_rate: optional(sizes(n)),
  ...DATA_FORMAT,
});
const SAME_OR_VALID = oneOf('valid', 'same');
const FILTERS: Arguments = { filters: required(positive) };
const convolution = (n: number): Arguments =>
  layer({
    ...FILTERS,
    ...windows(n, n === 1 ? oneOf('valid', 'same', 'causal') : SAME_OR_VALID),
    groups: optional(positive),
    ...linear('kernel'),
  });
const transposed = (n: number): Arguments =>
  layer({ ...FILTERS, ...windows(n, SAME_OR_VALID), output_padding: optional(sizes(n)), ...linear('kernel') });
const depthwise = (n: number): Arguments =>
  layer({ ...windows(n, SAME_OR_VALID), depth_multiplier: optional(positive), ...linear('depthwise') });
const separable = (n: number): Arguments =>
  layer({
    ...FILTERS,
    ...windows(n, n === 1 ? oneOf('valid', 'same', 'causal') : SAME_OR_VALID),
    depth_multiplier: optional(positive),
    ...linear('depthwise'),
    ...weights('pointwise'),
  });
const pooling = (n: number): Arguments =>
  layer({ pool_size: or(sizes(n), 2), strides: optional(sizes(n)), padding: optional(SAME_OR_VALID), ...DATA_FORMAT });
const globalPooling = layer({ keepdims: optional(flag), ...DATA_FORMAT });
const padding = (n: number): Arguments => layer({ padding: optional(borders(n)), ...(n === 1 ? {} : DATA_FORMAT) });
const cropping = (n: number): Arguments => layer({ cropping: optional(borders(n)), ...(n === 1 ? {} : DATA_FORMAT) });

const GATED: Arguments = {
  activation: optional(activation),
  ...BIAS,
  ...weights('kernel', 'recurrent', 'bias'),
  dropout: optional(share),
  recurrent_dropout: optional(share),
};
/** TensorFlow.js's default; hardSigmoid.ts has made it what Keras 3 computes. */
const GATES: Arguments = { recurrent_activation: or(activation, 'hard_sigmoid') };
const UNITS: Arguments = { units: required(positive) };
/** Bidirectional writes the last for the layers it wraps. */
const SEQUENCE = all(['return_sequences', 'return_state', 'go_backwards', 'stateful', 'unroll', 'zero_output_for_mask'], flag); // prettier-ignore
const FORGET: Arguments = { unit_forget_bias: optional(flag) };
const RESET: Arguments = { reset_after: or(flag, false) };
const INNER = required(anything);

const SCALED: Arguments = { center: optional(flag), scale: optional(flag), ...weights('beta', 'gamma') };
const EPSILON: Arguments = { epsilon: optional(nonNegative) };
const merge = layer({});
/** Its constructor takes no other. */
const spatialDropout = (dataFormat: Arguments): Arguments => ({
  name: required(text),
  dtype: BASE.dtype!,
  rate: or(share, 0),
  seed: optional(positive),
  ...dataFormat,
});
const SEED: Arguments = { seed: optional(positive) };

/** By class. Containers and InputLayer are the topology's own. */
export const CONSTRUCTORS: Readonly<Record<string, Arguments>> = {
  Dense: layer({ ...UNITS, ...linear('kernel') }),
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  Conv3D: convolution(3),
  Conv1DTranspose: transposed(1),
  Conv2DTranspose: transposed(2),
  Conv3DTranspose: transposed(3),
  DepthwiseConv1D: depthwise(1),
  DepthwiseConv2D: depthwise(2),
  SeparableConv1D: separable(1),
  SeparableConv2D: separable(2),
  MaxPooling1D: pooling(1),
  AveragePooling1D: pooling(1),
  MaxPooling2D: pooling(2),
  AveragePooling2D: pooling(2),
  MaxPooling3D: pooling(3),
  AveragePooling3D: pooling(3),
  GlobalAveragePooling1D: globalPooling,
  GlobalMaxPooling1D: globalPooling,
  GlobalAveragePooling2D: globalPooling,
  GlobalMaxPooling2D: globalPooling,
  GlobalAveragePooling3D: globalPooling,
  GlobalMaxPooling3D: globalPooling,
  ZeroPadding1D: padding(1),
  ZeroPadding2D: padding(2),
  ZeroPadding3D: padding(3),
  Cropping1D: cropping(1),
  Cropping2D: cropping(2),
  Cropping3D: cropping(3),
  UpSampling1D: layer({ size: optional(positive) }),
  UpSampling2D: layer({ size: optional(sizes(2)), interpolation: optional(oneOf('nearest', 'bilinear')), ...DATA_FORMAT }),
  UpSampling3D: layer({ size: optional(sizes(3)), ...DATA_FORMAT }),
  Flatten: layer(DATA_FORMAT),
  Reshape: layer({ target_shape: required(targetShape) }),
  Permute: layer({ dims: required(integers) }),
  RepeatVector: layer({ n: required(positive) }),
  Embedding: layer({
    input_dim: required(positive),
    output_dim: required(positive),
    mask_zero: optional(flag),
    ...weights('embeddings'),
  }),
  Add: merge,
  Subtract: merge,
  Multiply: merge,
  Average: merge,
  Maximum: merge,
  Minimum: merge,
  Concatenate: layer({ axis: optional(integer) }),
  Dot: layer({ axes: required(axis), normalize: optional(flag) }),
  SimpleRNN: layer({ ...UNITS, ...GATED, ...SEQUENCE, ...SEED }),
  GRU: layer({ ...UNITS, ...GATED, ...GATES, ...RESET, ...SEQUENCE, ...SEED }),
  LSTM: layer({ ...UNITS, ...GATED, ...GATES, ...FORGET, ...SEQUENCE, ...SEED }),
  SimpleRNNCell: layer({ ...UNITS, ...GATED, ...SEED }),
  GRUCell: layer({ ...UNITS, ...GATED, ...GATES, ...RESET, ...SEED }),
  LSTMCell: layer({ ...UNITS, ...GATED, ...GATES, ...FORGET, ...SEED }),
  StackedRNNCells: layer({ cells: INNER }),
  RNN: layer({ cell: INNER, ...SEQUENCE }),
  ConvLSTM2D: layer({ ...FILTERS, ...windows(2, SAME_OR_VALID), ...GATED, ...GATES, ...FORGET, ...all(['return_sequences', 'return_state', 'go_backwards', 'stateful'], flag), ...SEED }), // prettier-ignore
  TimeDistributed: layer({ layer: INNER }),
  Bidirectional: layer({
    layer: INNER,
    merge_mode: { kind: oneOf('concat', 'sum', 'mul', 'ave'), nullable: true },
  }),
  Activation: layer({ activation: or(activation, 'linear') }),
  ReLU: layer({ max_value: optional(nonNegative), negative_slope: optional(nonNegative), threshold: optional(nonNegative) }),
  LeakyReLU: layer({ negative_slope: or(nonNegative, 0.3) }),
  PReLU: layer({ shared_axes: optional(axis), ...weights('alpha') }),
  ELU: layer({ alpha: optional(number) }),
  Softmax: layer({ axis: optional(axis) }),
  Dropout: layer({ rate: or(share, 0), noise_shape: optional(noiseShape), ...SEED }),
  SpatialDropout1D: spatialDropout({}),
  SpatialDropout2D: spatialDropout(DATA_FORMAT),
  SpatialDropout3D: spatialDropout(DATA_FORMAT),
  GaussianNoise: layer({ stddev: or(deviation, 0), ...SEED }),
  GaussianDropout: layer({ rate: or(share, 0), ...SEED }),
  AlphaDropout: layer({ rate: or(share, 0), noise_shape: optional(noiseShape), ...SEED }),
  BatchNormalization: layer({ axis: optional(integer), momentum: optional(number), ...EPSILON, ...SCALED }),
  LayerNormalization: layer({ axis: optional(axis), ...EPSILON, ...SCALED }),
  GroupNormalization: layer({ groups: optional(integer), axis: optional(integer), ...EPSILON, ...SCALED }),
  UnitNormalization: layer({ axis: optional(axis) }),
  Normalization: layer({
    axis: { kind: axis, nullable: true },
    mean: optional(anything),
    variance: optional(anything),
    invert: optional(flag),
  }),
  Masking: layer({ mask_value: optional(number) }),
  Rescaling: layer({ scale: required(numbers), offset: optional(numbers) }),
  Identity: layer({}),
}; // prettier-ignore
