/** ReLU, and its variants with a slope or a threshold. */
import { layer, optional, or } from '../../keras3/arguments.js';
import { nonNegative } from '../../keras3/values.js';
import { field, isObject, numberAt, type LayerJson } from '../../layers/layerConfig.js';
import type { LayerClass, Note } from '../layerClass.js';
import { activated } from '../rules/channels.js';
import { ignored } from '../rules/settings.js';
import { same } from '../rules/shapes.js';

/** A number, plain or wrapped by Keras. */
const plain = (value: unknown): unknown => (isObject(value) && 'value' in value ? value.value : value);
const isNumber = (value: unknown): boolean => typeof plain(value) === 'number';
const isZero = (value: unknown): boolean => value == null || value === 0 || (isObject(value) && value.value === 0);

/** A ReLU with only a slope is a LeakyReLU, one with only a threshold a ThresholdedReLU; TensorFlow.js ignores both settings. */
function rewriteSlope(layer: LayerJson, note: Note): void {
  const { config } = layer;
  const { negative_slope: slope, threshold, max_value: max } = config;
  if (max != null) return;
  if (isNumber(threshold) && !isZero(threshold) && isZero(slope)) {
    layer.class_name = 'ThresholdedReLU';
    config.theta = isObject(threshold) ? threshold.value : threshold;
    for (const key of ['negative_slope', 'threshold', 'max_value']) delete config[key];
    note('ReLU with a threshold became ThresholdedReLU');
  } else if (isNumber(slope) && !isZero(slope) && isZero(threshold)) {
    layer.class_name = 'LeakyReLU';
    delete config.threshold;
    delete config.max_value;
    note('ReLU with a negative_slope became LeakyReLU');
  }
}

function rewriteLeaky({ config }: LayerJson, note: Note): void {
  if (config.negative_slope !== undefined) {
    config.alpha = plain(config.negative_slope);
    delete config.negative_slope;
    note('LeakyReLU negative_slope became alpha');
  }
  if (config.alpha !== undefined) config.alpha = plain(config.alpha);
}

export const RELUS = {
  ReLU: {
    rewrite: rewriteSlope,
    settings(config, refuse) {
      if (!isZero(field(config, 'negative_slope')))
        ignored(refuse, 'a negative_slope', 'use a LeakyReLU layer instead');
      if (!isZero(field(config, 'threshold'))) ignored(refuse, 'a threshold', 'use a ThresholdedReLU layer instead');
    },
    shape: same,
    channels: activated((config) => {
      const limit = numberAt(config, 'max_value') ?? Infinity;
      return (x) => Math.min(Math.max(x, 0), limit);
    }),
    inOrder: true,
    mask: 'pass',
    maskInTfjs: 'passes',
    asActivation: true,
    sparse: 'activation',
    keras: layer({
      max_value: optional(nonNegative),
      negative_slope: optional(nonNegative),
      threshold: optional(nonNegative),
    }),
  },
  LeakyReLU: {
    rewrite: rewriteLeaky,
    shape: same,
    channels: activated((config) => {
      const alpha = numberAt(config, 'alpha') ?? 0.3;
      return (x) => (x >= 0 ? x : alpha * x);
    }),
    inOrder: true,
    mask: 'pass',
    maskInTfjs: 'passes',
    asActivation: true,
    keras: layer({ negative_slope: or(nonNegative, 0.3) }),
    renamedInKeras3: { alpha: 'negative_slope' },
  },
  ThresholdedReLU: {
    shape: same,
    channels: activated((config) => {
      const theta = numberAt(config, 'theta') ?? 1;
      return (x) => (Number.isNaN(x) ? NaN : x > theta ? x : 0);
    }),
    inOrder: true,
    mask: 'pass',
    maskInTfjs: 'passes',
    asActivation: true,
    // ReLU passes what is above its threshold, unchanged.
    inKeras3(layer) {
      const { theta, ...config } = layer.config;
      return { ...layer, class_name: 'ReLU', config: { ...config, threshold: theta ?? 1 } };
    },
  },
} satisfies Record<string, LayerClass>;
