/** Padding "causal" of a convolution over a sequence: zeros before the first step only, so that no step reads a later one. */
import { layerName, layersOf, stringAt, tupleAt, type Json, type LayerJson } from '../layers/layerConfig.js';
import { INPUT_KEYS, insertInFront, layersByName, mergeIntoNext } from './rewriteGraph.js';

export const isCausal = ({ class_name: className, config }: LayerJson): boolean =>
  className === 'Conv1D' && stringAt(config, 'padding') === 'causal';

/** Number of zero steps: (kernel_size - 1) * dilation_rate. */
export function stepsInFront(config: Json): number {
  const [size] = tupleAt(config, 'kernel_size', 1, 1) ?? [1];
  const [rate] = tupleAt(config, 'dilation_rate', 1, 1) ?? [1];
  return (size! - 1) * rate!;
}

/** Suffixes of the names of the border's layers, from the first on. */
const BORDER = ['image', 'front', 'sequence'] as const;

/**
 * Turns a causal layer into a "valid" one after a border of zeros, in place. TensorFlow.js has such a border for images only: the sequence becomes an
 * image of a single channel in between.
 * @param steps of its input; null if they are open.
 */
export function putBorderInFront(container: LayerJson, layer: LayerJson, steps: number | null, channels: number): void {
  const front = stepsInFront(layer.config);
  const { batch_input_shape: shape } = layer.config;
  const configs: Record<(typeof BORDER)[number], [className: string, config: Json]> = {
    image: ['Reshape', { target_shape: [steps ?? -1, channels, 1], ...(shape === undefined ? {} : { batch_input_shape: shape }) }],
    front: ['ZeroPadding2D', { padding: [[front, 0], [0, 0]], data_format: 'channels_last' }],
    sequence: ['Reshape', { target_shape: [steps === null ? -1 : steps + front, channels] }],
  };
  const taken = new Set(layersOf(container).map(layerName));
  for (const suffix of BORDER) {
    const [class_name, config] = configs[suffix];
    let name = `${layerName(layer)}_${suffix}`;
    while (taken.has(name)) name += '_';
    insertInFront(container, layer, { class_name, config: { name, trainable: true, ...config } });
  }
  delete layer.config.batch_input_shape;
  layer.config.padding = 'valid';
} // prettier-ignore

/** Whether three layers make the border of a causal layer over `channels`. */
function isBorder([image, front, sequence]: readonly LayerJson[], { config }: LayerJson): boolean {
  const [from, to] = [image!, sequence!].map((layer) => layer.config.target_shape as unknown[]);
  const padding = JSON.stringify([[stepsInFront(config), 0], [0, 0]]);
  return (
    image!.class_name === 'Reshape' && front!.class_name === 'ZeroPadding2D' && sequence!.class_name === 'Reshape' &&
    JSON.stringify(front!.config.padding) === padding && stringAt(front!.config, 'data_format') !== 'channels_first' &&
    Array.isArray(from) && Array.isArray(to) && from.length === 3 && to.length === 2 && from[1] === to[1] && from[2] === 1
  );
} // prettier-ignore

/**
 * Turns a "valid" layer after a border of `putBorderInFront` into a causal one again, in place, recognised by names and settings. Others stay.
 * @returns the names of such layers.
 */
export function mergeCausalLayers(container: LayerJson): string[] {
  const named = layersByName(container);
  return layersOf(container).flatMap((layer) => {
    const { class_name: className, config } = layer;
    const name = String(config.name);
    if (className !== 'Conv1D' || (stringAt(config, 'padding') ?? 'valid') !== 'valid') return [];
    const border = BORDER.map((suffix) => named.get(`${name}_${suffix}`)).filter((extra) => extra !== undefined);
    if (border.length < BORDER.length || !isBorder(border, layer) || !mergeIntoNext(container, border, layer))
      return [];
    for (const key of INPUT_KEYS) {
      const extra = border.find((one) => one.config[key] !== undefined);
      if (extra) config[key] = extra.config[key];
    }
    config.padding = 'causal';
    return [name];
  });
}
