/** Pooling over windows. */
import { DATA_FORMAT, layer, optional, or, SAME_OR_VALID } from '../../keras3/arguments.js';
import { sizes } from '../../keras3/values.js';
import { field, stringAt, tupleAt } from '../../layers/layerConfig.js';
import type { LayerClass, Permutation } from '../layerClass.js';
import { identity, unlessChannelsFirst } from '../rules/channels.js';
import { on, spatial, windows } from '../rules/shapes.js';
import { keepdims } from './keepdims.js';

const pooling = (n: number, ...aliases: readonly string[]): LayerClass => ({
  ...(aliases.length > 0 && { aliases }),
  settings: keepdims,
  shape: on(n + 1, (config, input) => {
    const pool = tupleAt(config, 'pool_size', n, 2);
    const strides = field(config, 'strides') == null ? pool : tupleAt(config, 'strides', n, 1);
    if (!pool || !strides) return null;
    const padding = stringAt(config, 'padding') ?? 'valid';
    return spatial(config, input, (size, axis) => windows(size, pool[axis]!, padding, strides[axis]!));
  }),
  // Averages leave the padding out, so a constant stays constant.
  channels: unlessChannelsFirst(identity),
  // Pooling over a sequence does not know the setting (layers/pooling.js).
  ...(n === 3 && { skipsFramesInTfjs: 'forwards' as const }),
  ...(n === 1 && { channelsFirst: { permutation: (): Permutation => [[2, 1], [2, 1]] } }),
  keras: layer({
    pool_size: or(sizes(n), 2),
    strides: optional(sizes(n)),
    padding: optional(SAME_OR_VALID),
    ...DATA_FORMAT,
  }),
}); // prettier-ignore

export const POOLING = {
  MaxPooling1D: pooling(1, 'MaxPool1D'),
  AveragePooling1D: pooling(1, 'AvgPool1D'),
  MaxPooling2D: pooling(2, 'MaxPool2D'),
  AveragePooling2D: pooling(2, 'AvgPool2D'),
  MaxPooling3D: pooling(3, 'MaxPool3D'),
  AveragePooling3D: pooling(3, 'AvgPool3D'),
} satisfies Record<string, LayerClass>;
