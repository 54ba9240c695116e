/** Pooling over all of space or time. */
import { DATA_FORMAT, layer, optional } from '../../keras3/arguments.js';
import { flag } from '../../keras3/values.js';
import { channelsFirst, field, layerName, type LayerJson } from '../../layers/layerConfig.js';
import type { ForwardRule, LayerClass, Note, Permutation } from '../layerClass.js';
import { wide } from '../merging/masked.js';
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

/** Of steps, those that count: 0 if there are none. Masks of other axes are refused (engine/masks). */
const pooled =
  (kind: 'Mean' | 'Max'): ForwardRule =>
  (op, config, [x], _weights, { masks: [mask] }) => {
    const first = channelsFirst(config) ? 2 : 1;
    const axes = x!.shape.slice(2).map((_, i) => first + i);
    if (!mask || kind === 'Max') return op.reduce(kind, x!, axes);
    if (x!.shape.length !== 3 || mask.shape.length !== 2) return null;
    // A product with 0 is 0, whatever the count is.
    const share = op.unary('Reciprocal', op.binary('Maximum', op.reduce('Sum', mask, [1], true), 1));
    return op.mul(op.reduce('Sum', op.mul(x!, wide(op, mask)), [1]), share);
  };

const globalPooling = (n: number, kind: 'Mean' | 'Max'): LayerClass => ({
  aliases: [`Global${kind === 'Mean' ? 'Avg' : 'Max'}Pool${n}D`],
  rewrite: reshapeBehind(n),
  settings: keepdims,
  shape: on(n + 1, (config, input) => [channelsFirst(config) ? input[0]! : input.at(-1)!]),
  forward: pooled(kind),
  ...(n === 1 && { channelsFirst: { permutation: (): Permutation => [[2, 1], null] } }),
  keras: layer({ keepdims: optional(flag), ...DATA_FORMAT }),
});

/** Over volumes, which TensorFlow.js lacks. */
const overVolumes = (kind: 'mean' | 'max'): LayerClass => ({
  ...globalPooling(3, kind === 'mean' ? 'Mean' : 'Max'),
  compute: (tf, config, [x]) => tf[kind](x!, channelsFirst(config) ? [2, 3, 4] : [1, 2, 3]),
});

export const GLOBAL_POOLING = {
  GlobalAveragePooling1D: { ...globalPooling(1, 'Mean'), maskInTfjs: 'reads' },
  GlobalMaxPooling1D: globalPooling(1, 'Max'),
  GlobalAveragePooling2D: globalPooling(2, 'Mean'),
  GlobalMaxPooling2D: globalPooling(2, 'Max'),
  GlobalAveragePooling3D: overVolumes('mean'),
  GlobalMaxPooling3D: overVolumes('max'),
} satisfies Record<string, LayerClass>;
