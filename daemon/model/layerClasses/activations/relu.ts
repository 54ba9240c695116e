/** ReLU, and its variants with a slope or a threshold. */
import { layer, optional, or } from '../../keras3/arguments.js';
import { nonNegative } from '../../keras3/values.js';
import { field, isObject, numberAt, type Json, type LayerJson } from '../../layers/layerConfig.js';
import type { LayerClass, Note } from '../layerClass.js';
import { unary } from '../rules/forward.js';
import { same } from '../rules/shapes.js';

/** A number, plain or wrapped by Keras. */
const plain = (value: unknown): unknown => (isObject(value) && 'value' in value ? value.value : value);
const isNumber = (value: unknown): boolean => typeof plain(value) === 'number';
const isZero = (value: unknown): boolean => value == null || value === 0 || (isObject(value) && value.value === 0);

/** A ReLU with only a slope is a LeakyReLU, one with only a threshold a ThresholdedReLU; TensorFlow.js ignores both settings. */
function rewriteSlope(layer: LayerJson, note: Note): void {
  const { config } = layer;
  for (const key of ['negative_slope', 'threshold', 'max_value'])
    if (config[key] !== undefined) config[key] = plain(config[key]);
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

const settingsOf = (config: Json) => ({
  slope: numberAt(config, 'negative_slope') ?? 0,
  threshold: numberAt(config, 'threshold') ?? 0,
  limit: numberAt(config, 'max_value'),
});

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
    shape: same,
    forward: unary((op, config, x) => {
      const { slope, threshold, limit } = settingsOf(config);
      const above = threshold === 0 ? op.unary('Relu', x) : op.mul(x, op.step(op.sub(x, threshold)));
      const limited = limit === null ? above : op.clip(above, 0, limit);
      return slope === 0 ? limited : op.sub(limited, op.mul(op.unary('Relu', op.sub(op.scalar(threshold), x)), slope));
    }),
    mask: 'pass',
    maskInTfjs: 'passes',
    asActivation: true,
    sparse: 'activation',
    keras: layer({
      max_value: optional(nonNegative),
      negative_slope: optional(nonNegative),
      threshold: optional(nonNegative),
    }),
    // TensorFlow.js ignores both settings.
    computes: (config) => !isZero(field(config, 'negative_slope')) || !isZero(field(config, 'threshold')),
    // keras/src/activations/activations.py, ReLU.static_call.
    compute(tf, config, [given]) {
      const x = given!;
      const { slope, threshold, limit } = settingsOf(config);
      const above = threshold === 0 ? tf.relu(x) : tf.mul(x, tf.step(tf.sub(x, threshold)));
      const limited = limit === null ? above : tf.clipByValue(above, 0, limit);
      return slope === 0 ? limited : tf.sub(limited, tf.mul(tf.relu(tf.sub(threshold, x)), slope));
    },
  },
  LeakyReLU: {
    rewrite: rewriteLeaky,
    shape: same,
    forward: unary((op, config, x) =>
      op.graph.add({
        op: 'LeakyRelu',
        inputs: [x],
        attrs: { alpha: numberAt(config, 'alpha') ?? 0.3 },
        shape: x.shape,
      }),
    ),
    mask: 'pass',
    maskInTfjs: 'passes',
    asActivation: true,
    keras: layer({ negative_slope: or(nonNegative, 0.3) }),
    renamedInKeras3: { alpha: 'negative_slope' },
  },
  ThresholdedReLU: {
    shape: same,
    forward: unary((op, config, x) => op.mul(x, op.step(op.sub(x, numberAt(config, 'theta') ?? 1)))),
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
