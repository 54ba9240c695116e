/** Layers over channels first that TensorFlow.js 4.22 computes wrongly, as the same over channels last. */
import { channelsFirst, field, layerName, stringAt, type Json, type LayerJson } from '../layers/layerConfig.js';
import { INPUT_KEYS } from './rewriteGraph.js';
import type { Refuse } from '../layers/refuse.js';

/** The sample's axes with the channels moved to the end, and back; null where the output is the channels alone. */
type Permutation = readonly [last: readonly number[], first: readonly number[] | null];

/**
 * Conv1D gives its output with the axes swapped (layers/convolutional.js, conv1dWithBias), SeparableConv2D adds its bias
 * along the rows, 1-D pooling does not know the setting (layers/pooling.js). The convolutions inside a ConvLSTM2D are right,
 * but of a layout for which compiled engines have no kernels.
 */
const PERMUTATIONS: Readonly<Record<string, (config: Json) => Permutation>> = {
  Conv1D: () => [[2, 1], [2, 1]],
  MaxPooling1D: () => [[2, 1], [2, 1]],
  AveragePooling1D: () => [[2, 1], [2, 1]],
  GlobalAveragePooling1D: () => [[2, 1], null],
  GlobalMaxPooling1D: () => [[2, 1], null],
  SeparableConv2D: () => [[2, 3, 1], [3, 1, 2]],
  ConvLSTM2D: (config) => [[1, 3, 4, 2], field(config, 'return_sequences') === true ? [1, 4, 2, 3] : [3, 1, 2]],
}; // prettier-ignore

/** Those that TensorFlow.js itself trains and saves with the setting, and computes otherwise than it says. */
const TRAINED_WRONGLY = /^(Conv1D|SeparableConv2D)$/;

export const isMiscomputed = ({ class_name: className, config }: LayerJson): boolean =>
  Object.hasOwn(PERMUTATIONS, className) && channelsFirst(config);

/**
 * Makes the layer one over channels last, in place. Its weights have the same shapes.
 * @param keras whether Python's Keras wrote it, which computes channels first as they are meant.
 * @returns Permute layers to stand in front of and behind it.
 * @throws (through `refuse`) where TensorFlow.js trained it, wrongly, and where its activation depends on the order of axes.
 */
export function channelsLast(
  layer: LayerJson,
  keras: boolean,
  refuse: Refuse,
): { readonly before: LayerJson; readonly behind: LayerJson | null } {
  const { class_name: className, config } = layer;
  const [last, first] = PERMUTATIONS[className]!(config);
  if (!keras && TRAINED_WRONGLY.test(className))
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
