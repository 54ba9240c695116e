/** Convolutions over channels first that TensorFlow.js 4.22 computes wrongly, as the same over channels last. */
import { channelsFirst, field, layerName, stringAt, type LayerJson } from './layerConfig.js';
import type { Refuse } from './rewriteValues.js';

/**
 * Conv1D gives its output with the axes swapped (layers/convolutional.js, conv1dWithBias), SeparableConv2D adds its bias
 * along the rows. By class: the sample's axes with the channels moved to the end, and back.
 */
const PERMUTATIONS: Readonly<Record<string, readonly [last: number[], first: number[]]>> = {
  Conv1D: [[2, 1], [2, 1]],
  SeparableConv2D: [[2, 3, 1], [3, 1, 2]],
}; // prettier-ignore

export const isMiscomputed = ({ class_name: className, config }: LayerJson): boolean =>
  Object.hasOwn(PERMUTATIONS, className) && channelsFirst(config);

/**
 * Makes the layer one over channels last, in place.
 * @param keras whether Python's Keras wrote it, which computes channels first as they are meant.
 * @returns Permute layers to stand in front of and behind it.
 * @throws (through `refuse`) where TensorFlow.js trained it, wrongly, and where its activation depends on the order of axes.
 */
export function channelsLast(
  layer: LayerJson,
  keras: boolean,
  refuse: Refuse,
): { readonly before: LayerJson; readonly behind: LayerJson } {
  const { class_name: className, config } = layer;
  const [last, first] = PERMUTATIONS[className]!;
  if (!keras)
    refuse(`is a ${className} with channels first, whose output TensorFlow.js computes wrongly; use channels last and train again`); // prettier-ignore
  if (/softmax$/i.test(stringAt(config, 'activation') ?? ''))
    refuse(`is a ${className} with channels first and a softmax over its last axis, which TensorFlow.js cannot compute; put a Softmax layer behind it`); // prettier-ignore
  const shape = field(config, 'batch_input_shape');
  for (const key of ['batch_input_shape', 'batchInputShape', 'dataFormat']) delete config[key];
  config.data_format = 'channels_last';
  const permute = (suffix: string, dims: number[], more: object): LayerJson => ({
    class_name: 'Permute',
    config: { name: `${layerName(layer)}_channels_${suffix}`, trainable: true, dims, ...more },
  });
  return {
    before: permute('last', last, shape === undefined ? {} : { batch_input_shape: shape }),
    behind: permute('first', first, {}),
  };
}
