/** Normalization: scales features to mean 0 and variance 1, by statistics of data. */
import type * as Core from '@tensorflow/tfjs-core';
import { layer, optional } from '../../keras3/arguments.js';
import { anything, axis, flag } from '../../keras3/values.js';
import type { Json, LayerJson } from '../../layers/layerConfig.js';
import type { WeightTensor } from '../../model.js';
import type { ChannelRule, Cut, LayerClass } from '../layerClass.js';
import { elementwise, weightOf, width } from '../rules/channels.js';
import { again } from '../rules/settings.js';
import { same } from '../rules/shapes.js';
import { statistic } from '../rules/weights.js';
import {
  dropOuterAxes,
  givenStatistics,
  isAdapted,
  keptAxes,
  LEAST_DEVIATION,
  placedStatistics,
  type Statistic,
} from './statistics.js';

/** Statistics of other axes make a channel's values vary. */
const channels: ChannelRule = (call, weights) => {
  const { config } = call.node.layer;
  const rank = call.inputs[0]!.shape!.length;
  const axes = keptAxes(config, rank + 1);
  const [mean, variance] = ['mean', 'variance'].map((part) => weightOf(call, weights, part));
  if (!axes) return null;
  const given = mean ? null : ['mean', 'variance'].map((key) => [config[key]].flat() as number[]);
  const n = width(call);
  const perChannel = given?.every((list) => list.length === n && axes.join() === String(rank)) ?? axes.includes(rank);
  // Statistics in the config are one for all channels, one for each, or not followed.
  if (given && !perChannel && given.some((list) => list.length !== 1 || typeof list[0] !== 'number')) return null;
  const constant = axes.every((axis) => axis === rank);
  const at = (of: 0 | 1, c: number): number => (given?.[of] ?? [mean, variance][of]!.data)[perChannel ? c : 0]!;
  const normalised = (x: number, c: number): number => {
    if (!constant) return NaN;
    const deviation = Math.max(Math.sqrt(at(1, c)), LEAST_DEVIATION);
    return config.invert === true ? x * deviation + at(0, c) : (x - at(0, c)) / deviation;
  };
  const cut = (weight: WeightTensor): Cut => ({ weight, axis: axes.length - 1, side: 'output' });
  if (!given) return elementwise(normalised, perChannel ? [cut(mean!), cut(variance!)] : []);
  return {
    ...elementwise(normalised),
    resize(layer, { output }) {
      if (perChannel)
        for (const [i, key] of ['mean', 'variance'].entries()) layer[key] = output.map((c) => given[i]![c]!);
    },
  };
};

const never = (problem: string): never => {
  throw new Error(problem);
};

/** Mean and variance in a shape that broadcasts to an input. */
function statisticsOf(
  tf: typeof Core,
  config: Json,
  x: Core.Tensor,
  { mean, variance }: Readonly<Record<string, Core.Tensor>>,
): Core.Tensor[] {
  const axes = keptAxes(config, x.rank)!;
  const given = givenStatistics(config, never);
  if (!given) {
    const placed = x.shape.map((size, i) => (axes.includes(i) ? size : 1));
    return [mean!, variance!].map((values) => tf.reshape(values, placed));
  }
  return [given.mean, given.variance].map((statistic: Statistic) => {
    const values = tf.tensor(statistic as number[]);
    return tf.reshape(values, [...placedStatistics(values.shape, axes, x.rank)]);
  });
}

export const NORMALIZATION = {
  Normalization: {
    rewrite({ config }: LayerJson) {
      // An empty list of axes is None.
      if (Array.isArray(config.axis) && config.axis.length === 0) config.axis = null;
      dropOuterAxes(config);
    },
    settings(config, refuse) {
      // The largest possible number of axes: whether the input has them is known when the layer is built.
      if (keptAxes(config, 8) === null) refuse(`normalises along no axis of a sample; ${again}`);
      givenStatistics(config, refuse);
    },
    shape: same,
    // Never trained; the count is of samples, and used by Keras only.
    weights(config, input) {
      if (!isAdapted(config)) return [];
      const axes = input && keptAxes(config, input.length + 1);
      const shape = axes ? axes.map((axis) => input[axis - 1]!) : [null];
      return [statistic('mean', ...shape), statistic('variance', ...shape), statistic('count')];
    },
    problem: (config, input) =>
      keptAxes(config, input.length + 1) === null ? 'normalises an axis that its input does not have' : null,
    channels,
    inOrder: true,
    onInput: 'scales',
    mask: 'pass',
    maskInTfjs: 'passes',
    keras: layer({
      axis: { kind: axis, nullable: true },
      mean: optional(anything),
      variance: optional(anything),
      invert: optional(flag),
    }),
    compute(tf, config, [x], weights) {
      const [mean, variance] = statisticsOf(tf, config, x!, weights);
      const deviation = tf.maximum(tf.sqrt(variance!), LEAST_DEVIATION);
      return config['invert'] === true ? tf.add(tf.mul(x!, deviation), mean!) : tf.div(tf.sub(x!, mean!), deviation);
    },
  },
} satisfies Record<string, LayerClass>;
