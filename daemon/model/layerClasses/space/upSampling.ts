import type * as Core from '@tensorflow/tfjs-core';
import { sizeOf } from '../../../protocol/shape.js';
import { DATA_FORMAT, layer, optional } from '../../keras3/arguments.js';
import { oneOf, sizes } from '../../keras3/values.js';
import { channelsFirst, stringAt, tupleAt } from '../../layers/layerConfig.js';
import type { LayerClass } from '../layerClass.js';
import { identity, unlessChannelsFirst } from '../rules/channels.js';
import { on, spatial } from '../rules/shapes.js';

/** Repeats each position of an axis. */
function repeated(tf: typeof Core, x: Core.Tensor, axis: number, times: number): Core.Tensor {
  if (times === 1) return x;
  const [outer, inner] = [sizeOf(x.shape.slice(0, axis + 1)), sizeOf(x.shape.slice(axis + 1))];
  return tf.reshape(
    tf.tile(tf.reshape(x, [outer, 1, inner]), [1, times, 1]),
    x.shape.with(axis, x.shape[axis]! * times),
  );
}

/** Of sequences and volumes, which TensorFlow.js lacks: each position is repeated. */
const nearest = (n: number): LayerClass => ({
  shape: on(n + 1, (config, input) => {
    const size = tupleAt(config, 'size', n, 2);
    return size && spatial(config, input, (dim, axis) => (dim === null ? null : dim * size[axis]!));
  }),
  channels: unlessChannelsFirst(identity),
  keras: layer({ size: optional(sizes(n)), ...(n === 1 ? {} : DATA_FORMAT) }),
  compute(tf, config, [x]) {
    const first = channelsFirst(config) ? 2 : 1;
    return tupleAt(config, 'size', n, 2)!.reduce((y, times, i) => repeated(tf, y, first + i, times), x!);
  },
});

export const UP_SAMPLING = {
  UpSampling1D: nearest(1),
  UpSampling3D: nearest(3),
  UpSampling2D: {
    settings(config, refuse) {
      const interpolation = stringAt(config, 'interpolation') ?? 'nearest';
      if (interpolation !== 'nearest' && interpolation !== 'bilinear')
        refuse(`has interpolation ${interpolation}, which TensorFlow.js cannot compute; use nearest or bilinear`);
      if (tupleAt(config, 'size', 2, 2) === null) refuse('has a size that is not two numbers');
    },
    shape: on(3, (config, input) => {
      const size = tupleAt(config, 'size', 2, 2);
      return size && spatial(config, input, (dim, axis) => (dim === null ? null : dim * size[axis]!));
    }),
    channels: unlessChannelsFirst(identity),
    keras: layer({ size: optional(sizes(2)), interpolation: optional(oneOf('nearest', 'bilinear')), ...DATA_FORMAT }),
  },
} satisfies Record<string, LayerClass>;
