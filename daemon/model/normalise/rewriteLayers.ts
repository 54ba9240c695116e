/** One layer of a topology, rewritten to what TensorFlow.js reads. */
import { isBilinear, markHalfPixelCentres } from './bilinearUpSampling.js';
import { isMiscomputed } from './channelsFirst.js';
import {
  CONTAINERS,
  field,
  isLayerJson,
  isObject,
  layerName,
  type Json,
  type LayerJson,
  own,
} from '../layers/layerConfig.js';
import { dropOuterAxes } from '../layerClasses/normalisation/statistics.js';
import type { Notes } from '../notes.js';
import { OPERATION } from '../operations/operation.js';
import { activation, rewriteValues, type Refuse } from './rewriteValues.js';
import { refuseUnsupported } from '../layers/unsupported.js';

/** Augmentation that passes its input on outside of training, and keeps its shape. */
const AUGMENTATION =
  /^Random(Flip|Rotation|Zoom|Translation|Contrast|Brightness|Height|Width|Shear|Hue|Saturation|Sharpness|Grayscale|ColorDegeneration|ColorJitter|GaussianBlur|Erasing|Invert|Posterization|Perspective|ElasticTransform|AutoContrast)$/;

export interface RewriteContext {
  readonly notes: Notes;
  /** Whether the file was written by Python's Keras rather than by TensorFlow.js. */
  readonly keras: boolean;
  refuseAt(where: string): Refuse;
}

const CLASS_ALIASES: Record<string, string> = {
  BatchNormalizationV1: 'BatchNormalization',
  BatchNormalizationV2: 'BatchNormalization',
  SyncBatchNormalization: 'BatchNormalization',
  LSTMV2: 'LSTM',
  GRUV2: 'GRU',
  MaxPool1D: 'MaxPooling1D',
  MaxPool2D: 'MaxPooling2D',
  AvgPool2D: 'AveragePooling2D',
  GlobalAvgPool2D: 'GlobalAveragePooling2D',
  GlobalMaxPool2D: 'GlobalMaxPooling2D',
};

const identity = (config: Json): Json => ({
  name: config.name,
  trainable: config.trainable ?? true,
  activation: 'linear',
  ...(config.batch_input_shape === undefined ? {} : { batch_input_shape: config.batch_input_shape }),
});

/** `batch_shape` (Keras 3) -> `batch_input_shape`; a fixed batch size would refuse every other. */
function rewriteInputShape(config: Json, where: string, notes: Notes): void {
  const { batch_shape: shape, batch_input_shape: old } = config;
  if (shape !== undefined) {
    if (old === undefined) {
      config.batch_input_shape = shape;
      notes.add('batch_shape became batch_input_shape', where);
    } else if (JSON.stringify(old) !== JSON.stringify(shape)) {
      notes.add('batch_shape and batch_input_shape differ, batch_input_shape was kept', where);
    }
    delete config.batch_shape;
  }
  const input = config.batch_input_shape;
  if (Array.isArray(input) && typeof input[0] === 'number') {
    notes.add(`the fixed batch size ${input[0]} became any`, where);
    config.batch_input_shape = [null, ...(input as unknown[]).slice(1)];
  }
}

/** Axis lists of one number, which Keras before 2.3 wrote, break TensorFlow.js; an empty one is None. */
function rewriteAxis(layer: LayerJson, where: string, notes: Notes): void {
  const { axis } = layer.config;
  if (layer.class_name === 'Normalization' && Array.isArray(axis) && axis.length === 0) layer.config.axis = null;
  if (layer.class_name === 'LayerNormalization' || !Array.isArray(axis) || axis.length !== 1) return;
  layer.config.axis = (axis as unknown[])[0];
  notes.add('an axis in a list became a number', where);
}

function rewriteLeakyRelu(config: Json, where: string, notes: Notes): void {
  const plain = (value: unknown): unknown => (isObject(value) && 'value' in value ? value.value : value);
  if (config.negative_slope !== undefined) {
    config.alpha = plain(config.negative_slope);
    delete config.negative_slope;
    notes.add('LeakyReLU negative_slope became alpha', where);
  }
  if (config.alpha !== undefined) config.alpha = plain(config.alpha);
}

const isNumber = (value: unknown): boolean =>
  typeof (isObject(value) && 'value' in value ? value.value : value) === 'number';

/** A ReLU with a slope alone is a LeakyReLU, one with a threshold alone a ThresholdedReLU; TensorFlow.js ignores both. */
function rewriteSlope(layer: LayerJson, where: string, notes: Notes): void {
  const { config } = layer;
  const { negative_slope: slope, threshold, max_value: max } = config;
  const none = (value: unknown) => value == null || value === 0 || (isObject(value) && value.value === 0);
  if (layer.class_name === 'ReLU' && isNumber(threshold) && !none(threshold) && none(slope) && max == null) {
    layer.class_name = 'ThresholdedReLU';
    config.theta = isObject(threshold) ? threshold.value : threshold;
    for (const key of ['negative_slope', 'threshold', 'max_value']) delete config[key];
    notes.add('ReLU with a threshold became ThresholdedReLU', where);
    return;
  }
  if (layer.class_name !== 'ReLU' || !isNumber(slope) || none(slope) || !none(threshold) || max != null) return;
  layer.class_name = 'LeakyReLU';
  delete config.threshold;
  delete config.max_value;
  notes.add('ReLU with a negative_slope became LeakyReLU', where);
}

/** tf.keras writes what would initialize and regularize a kernel that a separable convolution does not have; TensorFlow.js refuses it. */
function dropMissingKernel(layer: LayerJson, where: string, notes: Notes): void {
  if (!layer.class_name.startsWith('SeparableConv')) return;
  const keys = Object.keys(layer.config).filter((key) => /^kernel_?(initializer|regularizer|constraint)$/i.test(key));
  for (const key of keys) delete layer.config[key];
  if (keys.length > 0) notes.add('settings of a kernel that separable convolutions do not have were dropped', where);
}

/** Its table holds numbers; a whole type is that of the tokens, which need none here. */
function rewriteEmbeddingType(layer: LayerJson, where: string, notes: Notes): void {
  if (layer.class_name !== 'Embedding' || layer.config.dtype !== 'int32') return;
  layer.config.dtype = 'float32';
  notes.add('the type of an Embedding became float32, that of its table', where);
}

/** TensorFlow.js ignores keepdims: a Reshape behind global pooling gives the axes of 1 back. */
function keptAxes(layer: LayerJson, where: string, notes: Notes): LayerJson | null {
  const global = /^Global\w+Pooling([12])D$/.exec(layer.class_name);
  if (!global || field(layer.config, 'keepdims') !== true) return null;
  delete layer.config.keepdims;
  notes.add('keepdims became a Reshape layer', where);
  const ones = new Array<number>(Number(global[1])).fill(1);
  const first = /first$/i.test(String(field(layer.config, 'data_format')));
  const name = `${layerName(layer)}_keepdims`;
  return { class_name: 'Reshape', config: { name, trainable: true, target_shape: first ? [-1, ...ones] : [...ones, -1] } }; // prettier-ignore
}

/**
 * Rewrites one layer in place (it is already a copy), wrappers' inner layers and cells included.
 * @returns a layer to stand behind it, where its activation is one.
 */
export function rewriteLayer(layer: LayerJson, where: string, context: RewriteContext): LayerJson | null {
  const { notes } = context;
  const refuse = context.refuseAt(where);
  const alias = own(CLASS_ALIASES, layer.class_name);
  if (alias !== undefined) {
    notes.add(`${layer.class_name} became ${alias}`, where);
    layer.class_name = alias;
  }
  const { config } = layer;
  if (layer.class_name === OPERATION) return null;
  rewriteInputShape(config, where, notes);
  if (AUGMENTATION.test(layer.class_name)) {
    notes.add(`augmentation (${layer.class_name}) was replaced by the identity; use "augment" in the plan`, where);
    layer.class_name = 'Activation';
    layer.config = identity(config);
    return null;
  }
  if (layer.class_name === 'Identity' || layer.class_name === 'ActivityRegularization') {
    notes.add(`${layer.class_name} became a linear Activation`, where);
    layer.class_name = 'Activation';
    layer.config = identity(config);
    return null;
  }
  const spatial = /^SpatialDropout([23])D$/.exec(layer.class_name);
  if (spatial) {
    const ones = new Array<number>(Number(spatial[1])).fill(1);
    const first = /first$/i.test(String(field(config, 'data_format')));
    layer.class_name = 'Dropout';
    delete config.data_format;
    config.noise_shape = first ? [null, null, ...ones] : [null, ...ones, null];
    notes.add(`SpatialDropout became Dropout with a noise_shape`, where);
  }
  const kept = keptAxes(layer, where, notes);
  rewriteSlope(layer, where, notes);
  if (layer.class_name === 'LeakyReLU') rewriteLeakyRelu(config, where, notes);
  rewriteAxis(layer, where, notes);
  if (layer.class_name === 'Normalization') dropOuterAxes(config);
  dropMissingKernel(layer, where, notes);
  rewriteValues(config, where, notes, refuse);
  rewriteEmbeddingType(layer, where, notes);
  if (config.dtype === 'string') refuse('takes strings; encode them in the data and save the model without it');
  if (CONTAINERS.has(layer.class_name)) return null;
  if (layer.class_name !== 'Resizing' && layer.class_name !== 'CenterCrop') {
    refuseUnsupported(layer.class_name, config, refuse);
  }
  if (field(config, 'stateful') === true) {
    notes.add('stateful became false: batches are independent here', where);
    config.stateful = false;
  }
  if (context.keras && isBilinear(layer)) markHalfPixelCentres(layer);
  return kept ?? rewriteActivations(layer, where, context, refuse);
}

function rewriteActivations(
  layer: LayerJson,
  where: string,
  context: RewriteContext,
  refuse: Refuse,
): LayerJson | null {
  const { config } = layer;
  let behind: LayerJson | null = null;
  for (const key of ['activation', 'recurrent_activation', 'recurrentActivation']) {
    if (config[key] === undefined) continue;
    const rewritten = activation(config[key], where, context.notes, refuse);
    if ('name' in rewritten) {
      config[key] = rewritten.name;
      continue;
    }
    const extra: LayerJson = {
      class_name: rewritten.layer.class_name,
      config: { trainable: true, ...rewritten.layer.config },
    };
    rewriteSlope(extra, where, context.notes);
    if (extra.class_name === 'LeakyReLU') rewriteLeakyRelu(extra.config, where, context.notes);
    refuseUnsupported(extra.class_name, extra.config, refuse);
    if (layer.class_name === 'Activation') {
      // The activation is all there is: the layer itself becomes it.
      const { name, batch_input_shape: shape } = config;
      layer.class_name = extra.class_name;
      layer.config = { ...extra.config, name, ...(shape === undefined ? {} : { batch_input_shape: shape }) };
      return null;
    }
    if (key !== 'activation' || /RNN|GRU|LSTM|Cell$/.test(layer.class_name)) {
      refuse(`uses ${extra.class_name} inside a recurrent layer, which TensorFlow.js cannot compute`);
    }
    config[key] = 'linear';
    extra.config.name = `${layerName(layer)}_activation`;
    behind = extra;
  }
  return behind;
}

/** Rewrites the layer inside TimeDistributed and Bidirectional, and the cells of RNN; a container inside is left to the caller. */
export function rewriteInner(layer: LayerJson, where: string, context: RewriteContext): LayerJson[] {
  const refuse = context.refuseAt(where);
  const containers: LayerJson[] = [];
  const inner = (key: string): void => {
    const value = layer.config[key];
    if (value == null) return;
    if (!isLayerJson(value)) return refuse(`has no readable "${key}"`);
    if (CONTAINERS.has(value.class_name)) {
      if (layer.class_name !== 'TimeDistributed') refuse(`wraps a whole model, which TensorFlow.js cannot load`);
      containers.push(value);
      return;
    }
    if (isMiscomputed(value)) refuse(`wraps a ${value.class_name} with channels first, which TensorFlow.js miscomputes; use channels last`); // prettier-ignore
    if (rewriteLayer(value, where, context) !== null) {
      refuse(
        'wraps a layer whose activation is a layer, which TensorFlow.js cannot load; put the activation behind it',
      );
    }
    if (isMiscomputed(value)) refuse(`wraps a ${value.class_name} with channels first, which TensorFlow.js miscomputes; use channels last`); // prettier-ignore
    containers.push(...rewriteInner(value, where, context));
  };
  if (layer.class_name === 'TimeDistributed') inner('layer');
  if (layer.class_name === 'RNN') inner('cell');
  if (layer.class_name === 'StackedRNNCells') {
    const cells = Array.isArray(layer.config.cells) ? (layer.config.cells as unknown[]) : [];
    for (const cell of cells) {
      if (!isLayerJson(cell)) return refuse('has a cell that cannot be read');
      if (rewriteLayer(cell, where, context) !== null) refuse('has a cell with an activation TensorFlow.js lacks');
    }
  }
  if (layer.class_name === 'Bidirectional') {
    const { backward_layer: backward } = layer.config;
    inner('layer');
    const { layer: forward } = layer.config;
    if (isLayerJson(forward)) {
      // TensorFlow.js adds the prefix itself; Keras 3 has already written it.
      const name = layerName(forward);
      if (name.startsWith('forward_')) forward.config.name = name.slice('forward_'.length);
      const differs = (key: string): boolean =>
        isLayerJson(backward) && JSON.stringify(backward.config[key]) !== JSON.stringify(forward.config[key]);
      if (isLayerJson(backward) && (backward.class_name !== forward.class_name || differs('units'))) {
        refuse(
          'has a backward_layer unlike its layer, which TensorFlow.js ignores; build it from one layer and save again',
        );
      }
    }
    delete layer.config.backward_layer;
  }
  return containers;
}
