/** Normalization: scales features to mean 0 and variance 1, by statistics of data. */
import type * as Core from '@tensorflow/tfjs-core';
import { layer, optional } from '../../keras3/arguments.js';
import { anything, axis, flag } from '../../keras3/values.js';
import type { Node } from '../../../network/ir.js';
import type { Operations } from '../../../network/operations.js';
import type { Json, LayerJson } from '../../layers/layerConfig.js';
import type { ForwardRule, LayerClass, Left } from '../layerClass.js';
import { placed } from '../rules/forward.js';
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

/** Mean and variance in the config, one number or one for each channel; null: they have another form, in which no channel can be removed. */
function listedStatistics(config: Json, rank: number, channels: number): { mean: number[]; variance: number[] } | null {
  const [mean, variance] = ['mean', 'variance'].map((key) => [config[key]].flat() as unknown[]) as [unknown[], unknown[]];
  const axes = keptAxes(config, rank);
  const isList = (list: unknown[]): list is number[] => list.every((one) => typeof one === 'number');
  if (!axes || !isList(mean) || !isList(variance) || mean.length !== variance.length) return null;
  const perChannel = mean.length === channels && axes.join() === String(rank - 1);
  return perChannel || mean.length === 1 ? { mean, variance } : null;
} // prettier-ignore

/** Mean and variance in a shape that broadcasts to x; null: see `listedStatistics`. */
function statisticNodes(op: Operations, config: Json, x: Node, { mean, variance }: Readonly<Record<string, Node>>) {
  const axes = keptAxes(config, x.shape.length);
  if (!axes) return null;
  if (mean && variance) return [placed(op, mean, x, axes), placed(op, variance, x, axes)] as const;
  const given = listedStatistics(config, x.shape.length, x.shape.at(-1)!);
  const node = (list: number[]): Node => op.graph.constant(Float32Array.from(list), [list.length]);
  return given && ([node(given.mean), node(given.variance)] as const);
}

const forward: ForwardRule = (op, config, [x], weights) => {
  const [mean, variance] = statisticNodes(op, config, x!, weights) ?? [];
  if (!mean || !variance) return null;
  const deviation = op.binary('Maximum', op.unary('Sqrt', variance), LEAST_DEVIATION);
  return config['invert'] === true ? op.add(op.mul(x!, deviation), mean) : op.div(op.sub(x!, mean), deviation);
};

function resize(config: Json, { output }: Left): void {
  for (const key of ['mean', 'variance']) {
    const list = config[key];
    if (Array.isArray(list) && list.length > 1) config[key] = output.at(-1)!.map((channel) => list[channel] as number);
  }
}

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
    forward,
    resize,
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
