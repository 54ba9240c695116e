/** Padding "causal" of a convolution over a sequence: zeros before the first step only, so that no step reads a later one. */
import { layerName, layersOf, stringAt, tupleAt, type Json, type LayerJson } from '../layers/layerConfig.js';
import { INPUT_KEYS, insertInFront, mergeIntoNext } from './rewriteGraph.js';

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
  return layersOf(container).flatMap(({ class_name: className, config }) => {
    const name = String(config.name);
    if (className !== 'Conv1D' || (stringAt(config, 'padding') ?? 'valid') !== 'valid') return [];
    // The loop also checks that each is read by the next one only.
    const trial = structuredClone(container);
    const named = (wanted: string) => layersOf(trial).find((layer) => layerName(layer).replace(/_+$/, '') === wanted);
    const border = BORDER.map((suffix) => named(`${name}_${suffix}`)).filter((layer) => layer !== undefined);
    const layer = layersOf(trial).find((one) => layerName(one) === name)!;
    if (border.length < BORDER.length || !isBorder(border, layer)) return [];
    for (const [i, extra] of border.entries()) {
      const next = border[i + 1] ?? layer;
      for (const key of INPUT_KEYS) if (extra.config[key] !== undefined) next.config[key] = extra.config[key];
      if (!mergeIntoNext(trial, extra, next)) return [];
    }
    layer.config.padding = 'causal';
    container.config = trial.config;
    return [name];
  });
}
