/**
 * GroupNormalization (Wu and He 2018; keras.io/api/layers/normalization_layers/group_normalization): each sample's channels, in groups of neighbours,
 * are normalised to mean 0 and variance 1 over a group's channels and all positions; then each channel is scaled and shifted. It mixes the
 * channels of a group: they stay.
 */
import { sizeOf } from '../../../protocol/shape.js';
import { EPSILON, layer, optional, SCALED } from '../../keras3/arguments.js';
import { integer } from '../../keras3/values.js';
import { numberAt, type Json } from '../../layers/layerConfig.js';
import { axisWithoutBatch } from '../../layers/shape.js';
import type { LayerClass } from '../layerClass.js';
import { again } from '../rules/settings.js';
import { scaledAndCentred } from '../rules/forward.js';
import { same } from '../rules/shapes.js';
import { scaleAndCentre } from '../rules/weights.js';

const DEFAULT_GROUPS = 32;

/** The axis of the channels, in a shape without the batch; null: the shape does not have it. */
const axisOf = (config: Json, rank: number): number | null => axisWithoutBatch(numberAt(config, 'axis') ?? -1, rank);

/** -1 is a group for each channel. */
const groupsOf = (config: Json, channels: number): number => {
  const groups = numberAt(config, 'groups') ?? DEFAULT_GROUPS;
  return groups === -1 ? channels : groups;
};

export const GROUP_NORMALIZATION = {
  GroupNormalization: {
    settings(config, refuse) {
      const groups = numberAt(config, 'groups') ?? DEFAULT_GROUPS;
      if (!Number.isInteger(groups) || (groups < 1 && groups !== -1)) refuse(`has ${groups} groups; ${again}`);
    },
    shape: same,
    weights(config, input) {
      const axis = input && axisOf(config, input.length);
      return scaleAndCentre(config, input && axis !== null ? input[axis]! : null);
    },
    problem(config, input) {
      const axis = axisOf(config, input.length);
      if (axis === null) return 'normalises an axis that its input does not have';
      const channels = input[axis]!;
      if (channels === null) return 'normalises channels of an open number; give the input a fixed one';
      const groups = groupsOf(config, channels);
      return channels % groups === 0
        ? null
        : `has ${groups} groups of ${channels} channels, which do not divide evenly`;
    },
    forward(op, config, [x], { gamma, beta }) {
      const [batch, ...sample] = x!.shape as [number, ...number[]];
      const axis = axisOf(config, sample.length)!;
      const channels = sample[axis]!;
      const groups = groupsOf(config, channels);
      const parted = [...sample.slice(0, axis), groups, channels / groups, ...sample.slice(axis + 1)];
      const rows = op.reshape(x!, [batch, ...parted]);
      const axes = parted.flatMap((_, i) => (i === axis ? [] : [i + 1]));
      const centred = op.sub(rows, op.reduce('Mean', rows, axes, true));
      const variance = op.reduce('Mean', op.unary('Square', centred), axes, true);
      const normal = op.mul(centred, op.unary('Rsqrt', op.add(variance, numberAt(config, 'epsilon') ?? 1e-3)));
      return scaledAndCentred(op, op.reshape(normal, x!.shape), [axis + 1], gamma, beta);
    },
    // Channels go only where each is a group.
    resize(config, { output }) {
      const channels = output[axisOf(config, output.length)!]!.length;
      if (groupsOf(config, channels) > channels) config['groups'] = channels;
    },
    mask: 'pass',
    keras: layer({ groups: optional(integer), axis: optional(integer), ...EPSILON, ...SCALED }),
    compute(tf, config, [given], { gamma, beta }) {
      const x = given!;
      const [batch, ...sample] = x.shape as [number, ...number[]];
      const axis = axisOf(config, sample.length)!;
      const channels = sample[axis]!;
      const groups = groupsOf(config, channels);
      const outer = sizeOf(sample.slice(0, axis));
      const inner = sizeOf(sample.slice(axis)) / groups;
      // Values of a group are adjacent.
      const rows = tf.reshape(tf.transpose(tf.reshape(x, [batch, outer, groups, inner]), [0, 2, 1, 3]), [batch, groups, -1]); // prettier-ignore
      const { mean, variance } = tf.moments(rows, [2], true);
      const normal = tf.div(tf.sub(rows, mean), tf.sqrt(tf.add(variance, numberAt(config, 'epsilon') ?? 1e-3)));
      const back = tf.transpose(tf.reshape(normal, [batch, groups, outer, inner]), [0, 2, 1, 3]);
      const perChannel = x.shape.map((_, i) => (i === axis + 1 ? channels : 1));
      let y: typeof x = tf.reshape(back, x.shape);
      if (gamma) y = tf.mul(y, tf.reshape(gamma, perChannel));
      if (beta) y = tf.add(y, tf.reshape(beta, perChannel));
      return y;
    },
  },
} satisfies Record<string, LayerClass>;
