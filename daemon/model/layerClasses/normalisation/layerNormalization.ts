import { EPSILON, layer, optional, SCALED } from '../../keras3/arguments.js';
import { axis, flag } from '../../keras3/values.js';
import { field, numberAt, type Json } from '../../layers/layerConfig.js';
import { axisWithoutBatch, type Shape } from '../../layers/shape.js';
import type { LayerClass } from '../layerClass.js';
import { scaledAndCentred } from '../rules/forward.js';
import { same } from '../rules/shapes.js';
import { scaleAndCentre, vector } from '../rules/weights.js';

const isRms = (config: Json): boolean => field(config, 'rms_scaling') === true;

/** Without the batch; null: the input is not known, or lacks the axis. */
function axesOf(config: Json, input: Shape | null): (number | null)[] {
  const given = field(config, 'axis') ?? -1;
  return (Array.isArray(given) ? (given as unknown[]) : [given]).map((a) =>
    input && typeof a === 'number' ? axisWithoutBatch(a, input.length) : null,
  );
}

/** It mixes channels: none can be removed. */
export const LAYER_NORMALIZATION = {
  LayerNormalization: {
    listsAxes: true,
    shape: same,
    weights(config, input) {
      const shape = axesOf(config, input).map((axis) => (axis === null ? null : input![axis]!));
      return isRms(config) ? [vector('gamma', ...shape)] : scaleAndCentre(config, ...shape);
    },
    forward(op, config, [x], { gamma, beta }) {
      const own = axesOf(config, x!.shape.slice(1));
      if (own.includes(null)) return null;
      const axes = own.map((axis) => axis! + 1).sort((a, b) => a - b);
      const centred = op.sub(x!, op.reduce('Mean', x!, axes, true));
      const variance = op.reduce('Mean', op.unary('Square', centred), axes, true);
      const scale = op.unary('Rsqrt', op.add(variance, numberAt(config, 'epsilon') ?? 1e-3));
      return scaledAndCentred(op, op.mul(isRms(config) ? x! : centred, scale), axes, gamma, beta);
    },
    mask: 'pass',
    maskInTfjs: 'passes',
    mostAxesInTfjs: 3,
    keras: layer({ axis: optional(axis), ...EPSILON, ...SCALED, rms_scaling: optional(flag) }),
    computes: isRms,
    // keras/src/ops/nn.py, _layer_normalization: the mean is not subtracted.
    compute(tf, config, [x], { gamma }) {
      const axes = axesOf(config, x!.shape.slice(1)).map((axis) => axis! + 1);
      const { variance } = tf.moments(x!, axes, true);
      const normal = tf.div(x!, tf.sqrt(tf.add(variance, numberAt(config, 'epsilon') ?? 1e-3)));
      return tf.mul(normal, tf.reshape(gamma!, x!.shape.map((size, i) => (axes.includes(i) ? size : 1)))); // prettier-ignore
    },
  },
} satisfies Record<string, LayerClass>;
