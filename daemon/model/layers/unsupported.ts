/** Layers that cannot be loaded, and settings that TensorFlow.js would silently ignore: each refused by layer name. */
import { CONTAINERS, field, isObject, stringAt, tupleAt, type Json, own } from './layerConfig.js';
import { KNOWN_CLASSES } from '../layerClasses/registry.js';
import { givenStatistics, keptAxes } from '../layerClasses/normalisation/statistics.js';
import type { Refuse } from '../normalise/rewriteValues.js';

const REASONS: Record<string, string> = {
  Lambda: 'is a Lambda layer: Python bytecode, which nothing but that Python can run; replace it by built-in layers and save again',
  TensorFlowOpLayer: 'is a raw TensorFlow operation; replace it by a built-in layer and save again',
  TextVectorization: 'is a TextVectorization layer; vectorize the text in the data and save the model without it',
  StringLookup: 'is a StringLookup layer; encode the strings in the data and save the model without it',
  IntegerLookup: 'is an IntegerLookup layer; encode the values in the data and save the model without it',
  Resizing: 'is a Resizing layer that changes the size; resize the images in the data and save the model without it',
  CenterCrop: 'is a CenterCrop layer that changes the size; crop the images in the data and save the model without it',
  MultiHeadAttention: 'is a MultiHeadAttention layer, which cannot be loaded from a file by TensorFlow.js',
  CuDNNLSTM: 'is a CuDNNLSTM layer; load it in Keras, copy its weights into an LSTM and save again',
  CuDNNGRU: 'is a CuDNNGRU layer; load it in Keras, copy its weights into a GRU with reset_after=True and save again',
  CategoryEncoding: 'is a CategoryEncoding layer, which TensorFlow.js loads with a wrong shape; one-hot encode in the data and save the model without it',
  Merge: 'is a Merge layer of Keras 1; save the model with Keras 2 or later',
}; // prettier-ignore

const KERAS_1_KEYS = [
  'nb_filter',
  'nb_row',
  'nb_col',
  'border_mode',
  'subsample',
  'output_dim',
  'init',
  'inner_init',
  'dim_ordering',
  'W_regularizer',
];
const KERAS_1_CLASSES =
  /^(Convolution[123]D|AtrousConvolution.*|Deconvolution2D|MaxoutDense|Highway|TimeDistributedDense|LocallyConnected.*|Merge)$/;

/** Whether a layer was written by Keras 1 (renamed arguments). Embedding has an output_dim in every version. */
function isKeras1(className: string, config: Json): boolean {
  if (KERAS_1_CLASSES.test(className) && !className.startsWith('LocallyConnected')) return true;
  return KERAS_1_KEYS.some(
    (key) => key in config && !(key === 'output_dim' && (className === 'Embedding' || 'units' in config)),
  );
}

const isZero = (value: unknown): boolean => value == null || value === 0 || (isObject(value) && value.value === 0);
const allOnes = (config: Json, key: string): boolean => {
  const value = field(config, key);
  return value == null || (Array.isArray(value) ? (value as unknown[]) : [value]).every((item) => item === 1);
};

/** Settings that change the result and that TensorFlow.js does not look at. */
function refuseIgnoredSettings(className: string, config: Json, refuse: Refuse): void {
  const ignored = (setting: string, instead: string): never =>
    refuse(`has ${setting}, which TensorFlow.js ignores; ${instead}`);
  const again = 'change the layer and save the model again';
  if (/Conv/.test(className)) {
    if (!allOnes(config, 'groups')) ignored('groups other than 1', again);
    if (/^(Depthwise|Conv.*Transpose)/.test(className) && !allOnes(config, 'dilation_rate'))
      ignored('a dilation_rate', again);
    if (/Transpose$/.test(className) && field(config, 'output_padding') != null) ignored('output_padding', again);
    if (stringAt(config, 'padding') === 'causal' && className !== 'Conv1D')
      refuse(`has causal padding, which there is for Conv1D alone; ${again}`);
  }
  if (/Pooling[123]D$/.test(className)) {
    if (field(config, 'keepdims') === true) ignored('keepdims', 'put a Reshape layer behind it instead');
  }
  if (className === 'ReLU') {
    if (!isZero(field(config, 'negative_slope'))) ignored('a negative_slope', 'use a LeakyReLU layer instead');
    if (!isZero(field(config, 'threshold'))) ignored('a threshold', 'use a ThresholdedReLU layer instead');
  }
  if (className === 'ELU' && field(config, 'alpha') != null && field(config, 'alpha') !== 1) {
    refuse(`has alpha other than 1, which TensorFlow.js cannot compute; ${again}`);
  }
  if (className === 'BatchNormalization') {
    if (field(config, 'renorm') === true) ignored('renorm', again);
    if (field(config, 'virtual_batch_size') != null) ignored('a virtual_batch_size', again);
  }
  if (className === 'LayerNormalization' && field(config, 'rms_scaling') === true) ignored('rms_scaling', again);
  if (/^(Upsampling|UpSampling)2D$/.test(className)) {
    const interpolation = stringAt(config, 'interpolation') ?? 'nearest';
    if (interpolation !== 'nearest' && interpolation !== 'bilinear') {
      refuse(`has interpolation ${interpolation}, which TensorFlow.js cannot compute; use nearest or bilinear`);
    }
    if (tupleAt(config, 'size', 2, 2) === null) refuse('has a size that is not two numbers');
  }
  if (
    className === 'Rescaling' &&
    [field(config, 'scale'), field(config, 'offset') ?? 0].some((n) => typeof n !== 'number')
  ) {
    refuse('rescales by channel, which TensorFlow.js cannot compute; scale the data instead');
  }
  if (className === 'Normalization') {
    // The most axes that there can be: whether the input has them shows when it is built.
    if (keptAxes(config, 8) === null) refuse(`normalises along no axis of a sample; ${again}`);
    givenStatistics(config, refuse);
  }
  if (field(config, 'time_major') === true) ignored('time_major', again);
}

/** @throws (through `refuse`) when the layer cannot be loaded, or would be loaded as something else. */
export function refuseUnsupported(className: string, config: Json, refuse: Refuse): void {
  if (isKeras1(className, config)) refuse('was written by Keras 1; load and save the model with Keras 2 or later');
  const reason = own(REASONS, className);
  if (reason !== undefined) refuse(reason);
  if (/^GRU|Cell$/.test(className) || KNOWN_CLASSES.has(className) || CONTAINERS.has(className)) {
    refuseIgnoredSettings(className, config, refuse);
  }
  const cell = /^(SimpleRNN|GRU|LSTM|StackedRNN)Cells?$/.test(className);
  if (!cell && !KNOWN_CLASSES.has(className) && !CONTAINERS.has(className)) {
    refuse(`is of class ${className.slice(0, 60)}, which TensorFlow.js does not have; replace it by built-in layers`);
  }
}
