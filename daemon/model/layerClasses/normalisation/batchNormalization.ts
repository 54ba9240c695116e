import type { Node } from '../../../network/ir.js';
import { EPSILON, layer, optional, SCALED } from '../../keras3/arguments.js';
import { integer, number } from '../../keras3/values.js';
import { field, numberAt } from '../../layers/layerConfig.js';
import { axisWithoutBatch } from '../../layers/shape.js';
import type { LayerClass } from '../layerClass.js';
import { placed } from '../rules/forward.js';
import { again, ignored } from '../rules/settings.js';
import { same } from '../rules/shapes.js';
import { scaleAndCentre, statistic } from '../rules/weights.js';

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
    forward(op, config, [x], { gamma, beta, moving_mean: mean, moving_variance: variance }) {
      const axis = axisWithoutBatch(numberAt(config, 'axis') ?? -1, x!.shape.length - 1);
      if (axis === null) return null;
      const inverse = op.unary('Rsqrt', op.add(variance!, numberAt(config, 'epsilon') ?? 1e-3));
      const along = (values: Node): Node => placed(op, values, x!, [axis + 1]);
      const y = op.mul(op.sub(x!, along(mean!)), along(gamma ? op.mul(inverse, gamma) : inverse));
      return beta ? op.add(y, along(beta)) : y;
    },
    onInput: 'scales',
    mask: 'pass',
    maskInTfjs: 'passes',
    lastAxisInTfjs: true,
    mostAxesInTfjs: 3,
    keras: layer({ axis: optional(integer), momentum: optional(number), ...EPSILON, ...SCALED }),
  },
} satisfies Record<string, LayerClass>;
