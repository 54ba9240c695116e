/** Rewrites layers over channels first that TensorFlow.js 4.22 computes wrongly to channels last. */
import { classOf } from '../layerClasses/registry.js';
import { channelsFirst, field, layerName, stringAt, type LayerJson } from '../layers/layerConfig.js';
import { INPUT_KEYS } from './rewriteGraph.js';
import type { Refuse } from '../layers/refuse.js';

export const isMiscomputed = ({ class_name: className, config }: LayerJson): boolean =>
  classOf(className)?.channelsFirst !== undefined && channelsFirst(config);

/**
 * Rewrites the layer to channels last, in place. Its weights keep their shapes.
 * @param keras whether Python's Keras wrote it, which computes channels first correctly.
 * @returns Permute layers to insert before and after it.
 * @throws (through `refuse`) if TensorFlow.js trained it, wrongly, or if its activation depends on the order of axes.
 */
export function channelsLast(
  layer: LayerJson,
  keras: boolean,
  refuse: Refuse,
): { readonly before: LayerJson; readonly behind: LayerJson | null } {
  const { class_name: className, config } = layer;
  const { permutation, trainedWrongly } = classOf(className)!.channelsFirst!;
  const [last, first] = permutation(config);
  if (!keras && trainedWrongly)
    refuse(`is a ${className} with channels first, whose output TensorFlow.js computes wrongly; use channels last and train again`); // prettier-ignore
  if (/softmax$/i.test(stringAt(config, 'activation') ?? ''))
    refuse(`is a ${className} with channels first and a softmax over its last axis, which TensorFlow.js cannot compute; put a Softmax layer behind it`); // prettier-ignore
  if (field(config, 'return_state') === true)
    refuse(`is a ${className} with channels first that gives its states; use channels last`);
  const given = Object.fromEntries(
    INPUT_KEYS.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]])),
  );
  for (const key of [...INPUT_KEYS, 'dataFormat']) delete config[key];
  config.data_format = 'channels_last';
  const permute = (suffix: string, dims: readonly number[], more: object): LayerJson => ({
    class_name: 'Permute',
    config: { name: `${layerName(layer)}_channels_${suffix}`, trainable: true, dims: [...dims], ...more },
  });
  return { before: permute('last', last, given), behind: first && permute('first', first, {}) };
}
