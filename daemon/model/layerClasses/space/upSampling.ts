import type * as Core from '@tensorflow/tfjs-core';
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import { sizeOf } from '../../../protocol/shape.js';
import { DATA_FORMAT, layer, optional } from '../../keras3/arguments.js';
import { oneOf, sizes } from '../../keras3/values.js';
import { channelsFirst, stringAt, tupleAt } from '../../layers/layerConfig.js';
import type { LayerClass } from '../layerClass.js';
import { channelsLast, stretched } from '../rules/forward.js';
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

/** The same of all axes, as operations. @param x [batch, ...places, channels]. */
function spread(op: Operations, x: Node, times: readonly number[]): Node {
  const [batch, ...rest] = x.shape as [number, ...number[]];
  const places = rest.slice(0, -1);
  const channels = rest.at(-1)!;
  const wanted = places.map((n, i) => n * times[i]!);
  const [first, ...others] = wanted as [number, ...number[]];
  const frames = stretched(op, op.reshape(x, [batch, places[0]!, sizeOf(places.slice(1)), channels]), first, sizeOf(places.slice(1))); // prettier-ignore
  if (others.length === 0) return op.reshape(frames, [batch, first, channels]);
  const images = op.reshape(frames, [batch * first, places[1]!, places[2]!, channels]);
  return op.reshape(stretched(op, images, others[0]!, others[1]!), [batch, ...wanted, channels]);
}

/** Of sequences and volumes, which TensorFlow.js lacks: each position is repeated. */
const nearest = (n: number): LayerClass => ({
  shape: on(n + 1, (config, input) => {
    const size = tupleAt(config, 'size', n, 2);
    return size && spatial(config, input, (dim, axis) => (dim === null ? null : dim * size[axis]!));
  }),
  forward: (op, config, [x]) =>
    channelsLast(op, config, x!, (last) => spread(op, last, tupleAt(config, 'size', n, 2)!)),
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
    forward: (op, config, [x]) =>
      channelsLast(op, config, x!, (last) => {
        const [batch, height, width, channels] = last.shape as [number, number, number, number];
        const [tall, wide] = tupleAt(config, 'size', 2, 2)!;
        const shape = [batch, height * tall!, width * wide!, channels];
        if (stringAt(config, 'interpolation') !== 'bilinear') return stretched(op, last, shape[1]!, shape[2]!);
        const attrs = { alignCorners: false, halfPixelCenters: config['half_pixel_centers'] === true };
        return op.graph.add({ op: 'ResizeBilinear', inputs: [last], attrs, shape });
      }),
    keras: layer({ size: optional(sizes(2)), interpolation: optional(oneOf('nearest', 'bilinear')), ...DATA_FORMAT }),
  },
} satisfies Record<string, LayerClass>;
