/**
 * Bilinear UpSampling2D is two different functions. Keras (tf.image.resize, keras.io/api/layers/reshaping_layers/up_sampling2d) takes a pixel for a
 * square and interpolates between the squares' centres; TensorFlow.js (tfjs-layers 4.22) interpolates between their corners. `half_pixel_centers:
 * true` in a layer's config marks the first; without it, it is the second. Each equals a sequence of layers that both libraries compute alike:
 * nearest upsampling and average pooling, whose windows at the border average only the pixels inside the image. Exactly, up to rounding.
 */
import { UserError } from '../../protocol/errors.js';
import { CONTAINERS, isLayerJson, layerName, layersOf, stringAt, tupleAt, type Json, type LayerJson } from '../layers/layerConfig.js'; // prettier-ignore
import type { Topology } from '../model.js';
import { INPUT_KEYS, insertInFront, layersByName, mergeIntoNext } from './rewriteGraph.js';

const MARK = 'half_pixel_centers';
/** Suffix of the name of the inserted layer. */
const FINE = '_nearest';

type Pair = readonly [number, number];

const sizeOf = ({ config }: LayerJson): Pair => tupleAt(config, 'size', 2, 2) as unknown as Pair;

export const isBilinear = ({ class_name: className, config }: LayerJson): boolean =>
  className === 'UpSampling2D' && stringAt(config, 'interpolation') === 'bilinear';

export const hasHalfPixelCentres = (layer: LayerJson): boolean => isBilinear(layer) && layer.config[MARK] === true;

/** Marks the layer, in place, as the one of Keras. */
export function markHalfPixelCentres(layer: LayerJson): void {
  layer.config[MARK] = true;
}

/** The layer, or the one inside TimeDistributed, which is not a node of its own in the graph. */
const innermost = (layer: LayerJson): LayerJson =>
  layer.class_name === 'TimeDistributed' && isLayerJson(layer.config.layer) ? innermost(layer.config.layer) : layer;

/** Turns `layer` into an average pooling after a nearest upsampling, which is returned. */
function asNearestAndMean(layer: LayerJson, name: string, size: Pair, pool: Pair, strides: Pair): LayerJson {
  const shared = { trainable: true, data_format: stringAt(innermost(layer).config, 'data_format') ?? 'channels_last' };
  const front = structuredClone(layer);
  front.config.name = name;
  for (const key of INPUT_KEYS) delete layer.config[key];
  const own = (inner: LayerJson, className: string, config: Json): void => {
    const { name: old, batch_input_shape: shape } = inner.config;
    inner.class_name = className;
    inner.config = { ...shared, name: old, ...config, ...(shape === undefined ? {} : { batch_input_shape: shape }) };
  };
  own(innermost(front), 'UpSampling2D', { size: [...size], interpolation: 'nearest' });
  own(innermost(layer), 'AveragePooling2D', { pool_size: [...pool], strides: [...strides], padding: 'same' });
  return front;
}

/** A name that no layer of the container has. */
function freeName(container: LayerJson, wanted: string): string {
  const taken = new Set(layersOf(container).map(layerName));
  let name = wanted;
  while (taken.has(name)) name += '_';
  return name;
}

/**
 * Between centres: every pixel is repeated over a grid so fine that the window of one pixel's size around each output's centre covers whole grid
 * elements; the window's mean is the interpolation.
 */
const windowOf = (factor: number): { size: number; stride: number } =>
  factor % 2 === 1 ? { size: factor, stride: 1 } : { size: 2 * factor, stride: 2 };

function visit(container: LayerJson, body: (container: LayerJson, layer: LayerJson) => void): void {
  for (const layer of [...layersOf(container)]) {
    const { layer: wrapped } = layer.config;
    if (CONTAINERS.has(layer.class_name)) visit(layer, body);
    else if (isLayerJson(wrapped) && CONTAINERS.has(wrapped.class_name)) visit(wrapped, body);
    else body(container, layer);
  }
}

const copyOf = (topology: Topology): LayerJson & Topology => structuredClone(topology) as LayerJson & Topology;

const bilinearLayers = (topology: Topology): LayerJson[] => {
  const found: LayerJson[] = [];
  visit(topology as LayerJson, (_container, layer) => {
    if (isBilinear(innermost(layer))) found.push(innermost(layer));
  });
  return found;
};

/** The names of the layers that interpolate between centres, those inside TimeDistributed included. */
export const halfPixelLayers = (topology: Topology): ReadonlySet<string> =>
  new Set(bilinearLayers(topology).filter(hasHalfPixelCentres).map(layerName));

/** The topology with layers that TensorFlow.js itself computes as intended; the given one if no change is needed. */
export function withoutHalfPixelCentres(topology: Topology): Topology {
  if (halfPixelLayers(topology).size === 0) return topology;
  const copy = copyOf(topology);
  visit(copy, (container, layer) => {
    if (!hasHalfPixelCentres(innermost(layer))) return;
    const [rows, columns] = sizeOf(innermost(layer)).map(windowOf) as unknown as [{ size: number; stride: number }, { size: number; stride: number }]; // prettier-ignore
    const pool: Pair = [rows.size, columns.size];
    const name = freeName(container, layerName(layer) + FINE);
    insertInFront(container, layer, asNearestAndMean(layer, name, pool, pool, [rows.stride, columns.stride]));
  });
  return copy;
}

/** The factor of a nearest upsampling followed by average pooling, between centres; null: they are something else. */
function factorOf(size: number, pool: number, stride: number): number | null {
  const factor = size / stride;
  const { size: wanted, stride: wantedStride } = windowOf(factor);
  return size === wanted && pool === wanted && stride === wantedStride ? factor : null;
}

/** The bilinear layer that equals a nearest upsampling followed by average pooling; null: they are something else. */
function asBilinear(fine: LayerJson, mean: LayerJson): LayerJson | null {
  if (fine.class_name !== 'UpSampling2D' || isBilinear(fine) || mean.class_name !== 'AveragePooling2D') return null;
  const format = (one: LayerJson) => stringAt(one.config, 'data_format') ?? 'channels_last';
  if (format(fine) !== format(mean) || stringAt(mean.config, 'padding') !== 'same') return null;
  const [pool, strides] = ['pool_size', 'strides'].map((key) => tupleAt(mean.config, key, 2, 0) ?? [0, 0]);
  const factors = sizeOf(fine).map((size, i) => factorOf(size, pool![i]!, strides![i]!));
  if (factors.includes(null)) return null;
  const { name, trainable = true } = mean.config;
  const { batch_input_shape: shape } = fine.config;
  const config = { name, trainable, size: factors, interpolation: 'bilinear', data_format: format(mean), [MARK]: true };
  return { class_name: 'UpSampling2D', config: { ...config, ...(shape === undefined ? {} : { batch_input_shape: shape }) } }; // prettier-ignore
}

/**
 * Merges the two layers of `withoutHalfPixelCentres` again, in place, recognised by their names and settings. Others stay.
 * @returns the names of the merged layers.
 */
export function mergeHalfPixelLayers(container: LayerJson): string[] {
  const merged: string[] = [];
  const named = layersByName(container);
  for (const layer of [...layersOf(container)]) {
    const name = layerName(layer);
    const front = named.get(name + FINE);
    if (front?.class_name !== layer.class_name && front?.class_name !== 'UpSampling2D') continue;
    const bilinear = asBilinear(innermost(front), innermost(layer));
    if (!bilinear || !mergeIntoNext(container, [front], layer)) continue;
    if (front !== innermost(front)) Object.assign(layer.config, { ...front.config, name, layer: layer.config.layer });
    Object.assign(innermost(layer), bilinear);
    merged.push(name);
  }
  return merged;
}

/**
 * The topology with layers that Keras computes as TensorFlow.js does; the given one if no change is needed. Between corners and by a factor of 2, a
 * pixel is the mean of itself and the next one on a grid where each is repeated; factors of 4 and 8 repeat that step.
 * @param file for messages.
 * @throws UserError('model-unsupported') on other factors.
 */
export function withoutCorners(topology: Topology, file: string): Topology {
  if (bilinearLayers(topology).every(hasHalfPixelCentres)) return topology;
  const copy = copyOf(topology);
  visit(copy, (container, layer) => {
    const inner = innermost(layer);
    if (!isBilinear(inner) || hasHalfPixelCentres(inner)) return;
    const name = layerName(layer);
    const stages = sizeOf(inner).map(Math.log2);
    if (!stages.every(Number.isInteger))
      throw new UserError(
        'model-unsupported',
        `${file}: layer "${name}" interpolates between the corners of pixels, as TensorFlow.js does, by a factor of ${sizeOf(inner).join(' x ')}; Keras interpolates between their centres, and has layers for the other by 2, 4 and 8 alone; save as ONNX or TensorFlow.js instead`,
        { file, field: name },
      );
    const last = Math.max(1, ...stages);
    for (let stage = 1; stage <= last; stage++) {
      const size = stages.map((all) => (stage <= all ? 2 : 1)) as unknown as Pair;
      // The layer keeps its name, and is the last of its steps.
      const own = stage === last ? layer : structuredClone(layer);
      if (stage < last) own.config.name = freeName(container, `${name}_stage_${stage}`);
      const front = asNearestAndMean(own, freeName(container, layerName(own) + FINE), size, size, [1, 1]);
      insertInFront(container, layer, front);
      if (own !== layer) insertInFront(container, layer, own);
      for (const key of INPUT_KEYS) delete layer.config[key];
    }
  });
  return copy;
}
