import { EPSILON, layer, optional, SCALED } from '../../keras3/arguments.js';
import { integer, number } from '../../keras3/values.js';
import { field, numberAt } from '../../layers/layerConfig.js';
import { axisWithoutBatch } from '../../layers/shape.js';
import type { ChannelRule, LayerClass } from '../layerClass.js';
import { elementwise, weightOf } from '../rules/channels.js';
import { again, ignored } from '../rules/settings.js';
import { same } from '../rules/shapes.js';
import { scaleAndCentre, statistic } from '../rules/weights.js';

const channels: ChannelRule = (call, weights) => {
  const { config } = call.node.layer;
  const rank = call.inputs[0]!.shape!.length;
  if (axisWithoutBatch(numberAt(config, 'axis') ?? -1, rank) !== rank - 1) return null;
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((part) => weightOf(call, weights, part)); // prettier-ignore
  if (!mean || !variance) return null;
  const epsilon = numberAt(config, 'epsilon') ?? 1e-3;
  const normalised = (x: number, c: number): number => {
    const scale = (gamma?.data[c] ?? 1) / Math.sqrt(variance.data[c]! + epsilon);
    return (scale === 0 ? 0 : scale * (x - mean.data[c]!)) + (beta?.data[c] ?? 0);
  };
  const vectors = [gamma, beta, mean, variance].filter((weight) => weight !== undefined);
  return elementwise(
    normalised,
    vectors.map((weight) => ({ weight, axis: 0, side: 'output' })),
  );
};

export const BATCH_NORMALIZATION = {
  BatchNormalization: {
    aliases: ['BatchNormalizationV1', 'BatchNormalizationV2', 'SyncBatchNormalization'],
    settings(config, refuse) {
      if (field(config, 'renorm') === true) ignored(refuse, 'renorm', again);
      if (field(config, 'virtual_batch_size') != null) ignored(refuse, 'a virtual_batch_size', again);
    },
    shape: same,
    weights(config, input) {
      const axis = input && axisWithoutBatch(numberAt(config, 'axis') ?? -1, input.length);
      const size = input && axis !== null ? input[axis]! : null;
      return [...scaleAndCentre(config, size), statistic('moving_mean', size), statistic('moving_variance', size)];
    },
    channels,
    onInput: 'scales',
    mask: 'pass',
    maskInTfjs: 'passes',
    lastAxisInTfjs: true,
    mostAxesInTfjs: 3,
    keras: layer({ axis: optional(integer), momentum: optional(number), ...EPSILON, ...SCALED }),
  },
} satisfies Record<string, LayerClass>;
