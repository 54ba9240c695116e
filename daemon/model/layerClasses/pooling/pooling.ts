/** Pooling over windows. */
import { DATA_FORMAT, layer, optional, or, SAME_OR_VALID } from '../../keras3/arguments.js';
import { sizes } from '../../keras3/values.js';
import { field, stringAt, tupleAt, type Json } from '../../layers/layerConfig.js';
import type { LayerClass, Permutation } from '../layerClass.js';
import { paddingOf, type Sliding } from '../convolutions/windows.js';
import { channelsLast } from '../rules/forward.js';
import { on, spatial, windows } from '../rules/shapes.js';
import { pooled } from './forward.js';
import { keepdims } from './keepdims.js';

/** The strides of a config without any are its windows. */
function slidingOf(config: Json, n: number): Sliding | null {
  const sizes = tupleAt(config, 'pool_size', n, 2);
  const strides = field(config, 'strides') == null ? sizes : tupleAt(config, 'strides', n, 1);
  if (!sizes || !strides || ![...sizes, ...strides].every((size) => Number.isInteger(size) && size >= 1)) return null;
  return { sizes, strides, dilations: sizes.map(() => 1), padding: paddingOf(config) };
}

const pooling = (n: number, kind: 'MaxPool' | 'AvgPool'): LayerClass => ({
  aliases: [`${kind}${n}D`],
  settings: keepdims,
  shape: on(n + 1, (config, input) => {
    const pool = tupleAt(config, 'pool_size', n, 2);
    const strides = field(config, 'strides') == null ? pool : tupleAt(config, 'strides', n, 1);
    if (!pool || !strides) return null;
    const padding = stringAt(config, 'padding') ?? 'valid';
    return spatial(config, input, (size, axis) => windows(size, pool[axis]!, padding, strides[axis]!));
  }),
  forward: (op, config, [x]) => channelsLast(op, config, x!, (last) => pooled(op, kind, last, slidingOf(config, n))),
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
  MaxPooling1D: pooling(1, 'MaxPool'),
  AveragePooling1D: pooling(1, 'AvgPool'),
  MaxPooling2D: pooling(2, 'MaxPool'),
  AveragePooling2D: pooling(2, 'AvgPool'),
  MaxPooling3D: pooling(3, 'MaxPool'),
  AveragePooling3D: pooling(3, 'AvgPool'),
} satisfies Record<string, LayerClass>;
