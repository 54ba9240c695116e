/**
 * UnitNormalization and RMSNormalization (keras.io/api/layers/normalization_layers): each sample is divided by its length, or by its root mean square,
 * along some axes. The mean of RMSNormalization is over all channels: none can be removed.
 */
import { EPSILON, layer, optional } from '../../keras3/arguments.js';
import { axis } from '../../keras3/values.js';
import { field, numberAt, type Json } from '../../layers/layerConfig.js';
import { axisWithoutBatch, type Shape } from '../../layers/shape.js';
import type { LayerClass } from '../layerClass.js';
import { scaledAndCentred } from '../rules/forward.js';
import { same } from '../rules/shapes.js';
import { vector } from '../rules/weights.js';

/** Without the batch, ascending; null: the input lacks one of them. */
function axesOf(config: Json, rank: number): number[] | null {
  const axes = ([field(config, 'axis') ?? -1].flat() as unknown[]).map((a) =>
    typeof a === 'number' ? axisWithoutBatch(a, rank) : null,
  );
  return axes.includes(null) ? null : (axes as number[]).sort((a, b) => a - b);
}

const problem: NonNullable<LayerClass['problem']> = (config: Json, input: Shape) =>
  axesOf(config, input.length) === null ? 'normalises an axis that its input does not have' : null;

export const UNIT_NORMALIZATION = {
  UnitNormalization: {
    listsAxes: true,
    shape: same,
    problem,
    mask: 'pass',
    forward(op, config, [x]) {
      const axes = axesOf(config, x!.shape.length - 1)!.map((one) => one + 1);
      const square = op.reduce('Sum', op.unary('Square', x!), axes, true);
      return op.mul(x!, op.unary('Rsqrt', op.binary('Maximum', square, 1e-24)));
    },
    keras: layer({ axis: optional(axis) }),
    // keras/src/ops/nn.py, _normalize, with an epsilon of 1e-12.
    compute(tf, config, [x]) {
      const axes = axesOf(config, x!.rank - 1)!.map((one) => one + 1);
      return tf.mul(x!, tf.rsqrt(tf.maximum(tf.sum(tf.square(x!), axes, true), 1e-24)));
    },
  },
  RMSNormalization: {
    listsAxes: true,
    shape: same,
    weights(config, input) {
      const axes = input && axesOf(config, input.length);
      return [vector('scale', ...(axes ? axes.map((one) => input[one]!) : [null]))];
    },
    problem,
    forward(op, config, [x], { scale }) {
      const axes = axesOf(config, x!.shape.length - 1)!.map((one) => one + 1);
      const mean = op.reduce('Mean', op.unary('Square', x!), axes, true);
      const normal = op.mul(x!, op.unary('Rsqrt', op.add(mean, numberAt(config, 'epsilon') ?? 1e-6)));
      return scaledAndCentred(op, normal, axes, scale, undefined);
    },
    keras: layer({ axis: optional(axis), ...EPSILON }),
    compute(tf, config, [x], { scale }) {
      const axes = axesOf(config, x!.rank - 1)!.map((one) => one + 1);
      const mean = tf.mean(tf.square(x!), axes, true);
      const normal = tf.mul(x!, tf.rsqrt(tf.add(mean, numberAt(config, 'epsilon') ?? 1e-6)));
      return tf.mul(normal, tf.reshape(scale!, x!.shape.map((size, i) => (axes.includes(i) ? size : 1)))); // prettier-ignore
    },
  },
} satisfies Record<string, LayerClass>;
