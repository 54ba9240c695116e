/**
 * Adaptive pooling (keras.io/api/layers/pooling_layers): position i of m along an axis of n pools the values from floor(i n / m) to ceil((i + 1) n / m).
 * Mean and maximum of a box are those of its axes one after the other.
 */
import type * as Core from '@tensorflow/tfjs-core';
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { DATA_FORMAT, layer, required } from '../../keras3/arguments.js';
import { sizes } from '../../keras3/values.js';
import { channelsFirst, tupleAt } from '../../layers/layerConfig.js';
import type { LayerClass } from '../layerClass.js';
import { MOST_PARTS } from '../rules/forward.js';
import { on, spatial } from '../rules/shapes.js';

type Pool = 'mean' | 'max';

/** Where each of m positions begins and ends in an axis of n. */
const boxes = (n: number, m: number): [from: number, to: number][] =>
  Array.from({ length: m }, (_, i) => [Math.floor((i * n) / m), Math.ceil(((i + 1) * n) / m)]);

/** The same as operations. */
function axisPooled(op: Operations, x: Node, axis: number, m: number, kind: Pool): Node {
  const means = boxes(x.shape[axis]!, m).map(([from, to]) => {
    const begin = x.shape.map((_, at) => (at === axis ? from : 0));
    return op.reduce(kind === 'mean' ? 'Mean' : 'Max', op.slice(x, begin, x.shape.with(axis, to - from)), [axis], true);
  });
  return op.concat(means, axis);
}

/** Pools one axis of x to m positions. */
function poolAxis(tf: typeof Core, x: Core.Tensor, axis: number, m: number, kind: Pool): Core.Tensor {
  const pooled = boxes(x.shape[axis]!, m).map(([from, to]) => {
    const begin = x.shape.map((_size, at) => (at === axis ? from : 0));
    return tf[kind](tf.slice(x, begin, x.shape.with(axis, to - from)), axis, true);
  });
  return m === 1 ? pooled[0]! : tf.concat(pooled, axis);
}

const adaptive = (n: number, kind: Pool): LayerClass => ({
  shape: on(n + 1, (config, input) => {
    const wanted = tupleAt(config, 'output_size', n, 0);
    return wanted && spatial(config, input, (_size, axis) => wanted[axis]!);
  }),
  forward(op, config, [x]) {
    const first = channelsFirst(config) ? 2 : 1;
    const wanted = tupleAt(config, 'output_size', n, 0)!;
    return wanted.some((m) => m > MOST_PARTS)
      ? null
      : wanted.reduce((y, m, i) => axisPooled(op, y, first + i, m, kind), x!);
  },
  keras: layer({ output_size: required(sizes(n)), ...DATA_FORMAT }),
  compute(tf, config, [x]) {
    const first = channelsFirst(config) ? 2 : 1;
    return tupleAt(config, 'output_size', n, 0)!.reduce((y, m, i) => poolAxis(tf, y, first + i, m, kind), x!);
  },
});

export const ADAPTIVE_POOLING = {
  AdaptiveAveragePooling1D: adaptive(1, 'mean'),
  AdaptiveAveragePooling2D: adaptive(2, 'mean'),
  AdaptiveAveragePooling3D: adaptive(3, 'mean'),
  AdaptiveMaxPooling1D: adaptive(1, 'max'),
  AdaptiveMaxPooling2D: adaptive(2, 'max'),
  AdaptiveMaxPooling3D: adaptive(3, 'max'),
} satisfies Record<string, LayerClass>;
