/**
 * Layers whose channels are first where TensorFlow.js (tfjs-layers 4.22) computes them wrongly: Conv1D forgets to turn its
 * output back, the 1-D pooling layers do not know the setting, and SeparableConv2D adds its bias to another axis; the
 * convolutions of a ConvLSTM2D are of a layout that compiled engines do not have. Between two Permute layers they become the
 * same computation with channels last, which every engine and every format has.
 */
import { channelsFirst, field, layerName, layersOf, type Json, type LayerJson } from './layerConfig.js';
import type { Notes } from './notes.js';
import { insertBefore, insertBehind } from './rewriteGraph.js';
import type { Refuse } from './rewriteValues.js';

/** How the axes are turned (Permute's `dims`, which count from 1 behind the batch axis) on the way in, and out again. */
interface Turn {
  readonly into: readonly number[];
  readonly back: readonly number[] | null;
}

const line: Turn = { into: [2, 1], back: [2, 1] };
const alone: Turn = { into: [2, 1], back: null };
const TURNS: Readonly<Record<string, (config: Json) => Turn>> = {
  Conv1D: () => line,
  MaxPooling1D: () => line,
  AveragePooling1D: () => line,
  GlobalAveragePooling1D: () => alone,
  GlobalMaxPooling1D: () => alone,
  SeparableConv2D: () => ({ into: [2, 3, 1], back: [3, 1, 2] }),
  ConvLSTM2D: (config) => ({
    into: [1, 3, 4, 2],
    back: field(config, 'return_sequences') === true ? [1, 4, 2, 3] : [3, 1, 2],
  }),
};

/** Whether TensorFlow.js computes this layer wrongly because its channels are first. */
export const wrongChannelsFirst = ({ class_name, config }: LayerJson): boolean =>
  Object.hasOwn(TURNS, class_name) && channelsFirst(config);

function permute(container: LayerJson, name: string, dims: readonly number[]): LayerJson {
  const taken = new Set(layersOf(container).map(layerName));
  while (taken.has(name)) name += '_';
  return { class_name: 'Permute', config: { name, trainable: true, dims } };
}

/** Makes such a layer of a container one with channels last, in place. Its weights have the same shapes. */
export function makeChannelsLast(
  container: LayerJson,
  layer: LayerJson,
  where: string,
  notes: Notes,
  refuse: Refuse,
): void {
  if (!wrongChannelsFirst(layer)) return;
  const { config } = layer;
  const { into, back } = TURNS[layer.class_name]!(config);
  if (config.activation === 'softmax')
    refuse('is channels first with a softmax; put the softmax into a layer behind it');
  if (field(config, 'return_state') === true)
    refuse('is channels first and gives its states; build it with channels last');
  delete config.dataFormat;
  config.data_format = 'channels_last';
  const name = layerName(layer);
  if (back) insertBehind(container, layer, permute(container, `${name}_channels_first`, back));
  insertBefore(container, layer, permute(container, `${name}_channels_last`, into));
  notes.add('channels first, which TensorFlow.js gets wrong here, became channels last between Permute layers', where);
}
