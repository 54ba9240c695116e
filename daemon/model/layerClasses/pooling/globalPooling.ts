/** Pooling over all of space or time. */
import { DATA_FORMAT, layer, optional } from '../../keras3/arguments.js';
import { flag } from '../../keras3/values.js';
import { channelsFirst, field, layerName, type LayerJson } from '../../layers/layerConfig.js';
import type { LayerClass, Note, Permutation } from '../layerClass.js';
import { identity, unlessChannelsFirst } from '../rules/channels.js';
import { on } from '../rules/shapes.js';
import { keepdims } from './keepdims.js';

/** TensorFlow.js ignores keepdims: a Reshape after the layer restores the axes of 1. */
const reshapeBehind =
  (n: number) =>
  (pooling: LayerJson, note: Note): LayerJson | null => {
    const { config } = pooling;
    if (field(config, 'keepdims') !== true) return null;
    delete config.keepdims;
    note('keepdims became a Reshape layer');
    const ones = new Array<number>(n).fill(1);
    const name = `${layerName(pooling)}_keepdims`;
    const shape = channelsFirst(config) ? [-1, ...ones] : [...ones, -1];
    return { class_name: 'Reshape', config: { name, trainable: true, target_shape: shape } };
  };

const globalPooling = (n: number, ...aliases: readonly string[]): LayerClass => ({
  ...(aliases.length > 0 && { aliases }),
  rewrite: reshapeBehind(n),
  settings: keepdims,
  shape: on(n + 1, (config, input) => [channelsFirst(config) ? input[0]! : input.at(-1)!]),
  channels: unlessChannelsFirst(identity),
  ...(n === 1 && { channelsFirst: { permutation: (): Permutation => [[2, 1], null] } }),
  keras: layer({ keepdims: optional(flag), ...DATA_FORMAT }),
});

/** Over volumes, which TensorFlow.js lacks. */
const overVolumes = (kind: 'mean' | 'max'): LayerClass => ({
  ...globalPooling(3, kind === 'mean' ? 'GlobalAvgPool3D' : 'GlobalMaxPool3D'),
  compute: (tf, config, [x]) => tf[kind](x!, channelsFirst(config) ? [2, 3, 4] : [1, 2, 3]),
});

export const GLOBAL_POOLING = {
  // It averages over the steps that count: 0 if there are none.
  GlobalAveragePooling1D: { ...globalPooling(1, 'GlobalAvgPool1D'), readsMask: 'keeps zeros', maskInTfjs: 'reads' },
  GlobalMaxPooling1D: globalPooling(1, 'GlobalMaxPool1D'),
  GlobalAveragePooling2D: globalPooling(2, 'GlobalAvgPool2D'),
  GlobalMaxPooling2D: globalPooling(2, 'GlobalMaxPool2D'),
  GlobalAveragePooling3D: overVolumes('mean'),
  GlobalMaxPooling3D: overVolumes('max'),
} satisfies Record<string, LayerClass>;
