import { EPSILON, layer, optional, SCALED } from '../../keras3/arguments.js';
import { axis } from '../../keras3/values.js';
import { field } from '../../layers/layerConfig.js';
import { axisWithoutBatch } from '../../layers/shape.js';
import type { LayerClass } from '../layerClass.js';
import { again, ignored } from '../rules/settings.js';
import { same } from '../rules/shapes.js';
import { scaleAndCentre } from '../rules/weights.js';

/** It mixes channels: none can be removed. */
export const LAYER_NORMALIZATION = {
  LayerNormalization: {
    listsAxes: true,
    settings(config, refuse) {
      if (field(config, 'rms_scaling') === true) ignored(refuse, 'rms_scaling', again);
    },
    shape: same,
    weights(config, input) {
      const given = field(config, 'axis') ?? -1;
      const axes = (Array.isArray(given) ? (given as unknown[]) : [given]).map((a) =>
        input && typeof a === 'number' ? axisWithoutBatch(a, input.length) : null,
      );
      return scaleAndCentre(config, ...axes.map((a) => (a === null ? null : input![a]!)));
    },
    mask: 'pass',
    maskInTfjs: 'passes',
    mostAxesInTfjs: 3,
    keras: layer({ axis: optional(axis), ...EPSILON, ...SCALED }),
  },
} satisfies Record<string, LayerClass>;
