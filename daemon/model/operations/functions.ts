/** Element-wise operations. */
import type * as Core from '@tensorflow/tfjs-core';
import type { Json } from '../layers/layerConfig.js';
import { noSettings, type Operation, type OperationConfig } from './operation.js';
import type { Refuse } from '../layers/refuse.js';

type Layer = ReturnType<NonNullable<Operation['asLayer']>>;

interface Rule {
  readonly module: 'numpy' | 'nn' | 'core' | 'math';
  readonly className: string;
  readonly alsoKeras?: readonly string[];
  readonly tensorflow: readonly string[];
  readonly compute: (tf: typeof Core, x: Core.Tensor, settings: Json) => Core.Tensor;
  readonly settings?: (given: Json, refuse: Refuse) => Json;
  readonly layer?: (config: OperationConfig) => Layer;
  readonly kerasNames?: Readonly<Record<string, string>>;
}

const unary = ({
  module,
  className,
  alsoKeras,
  tensorflow,
  compute,
  settings,
  layer,
  kerasNames,
}: Rule): Operation => ({
  keras: { module, className },
  ...(alsoKeras && { alsoKeras }),
  tensorflow,
  arity: 1,
  settings: settings ?? noSettings,
  shape: ([x = null]) => x,
  compute: (tf, [x], given) => compute(tf, x!, given),
  ...(layer && { asLayer: layer }),
  ...(kerasNames && { kerasNames }),
});

/** A function of NumPy that no layer computes. */
const plain = (
  className: string,
  compute: (tf: typeof Core, x: Core.Tensor) => Core.Tensor,
  more: Partial<Rule> = {},
): Operation => unary({ module: 'numpy', className, tensorflow: [className.toLowerCase()], compute, ...more });

/** A function that is an Activation of the same name. */
const activation = (
  className: string,
  activationName: string,
  compute: (tf: typeof Core, x: Core.Tensor) => Core.Tensor,
  tensorflow: readonly string[] = [activationName],
): Operation =>
  unary({
    module: 'nn',
    className,
    tensorflow,
    compute,
    layer: ({ name }) => ({ class_name: 'Activation', config: { name, trainable: true, activation: activationName } }),
  });

const numberIn = (given: Json, names: readonly string[], fallback: number, refuse: Refuse): number => {
  const value = names.map((name) => given[name]).find((one) => one !== undefined && one !== null) ?? fallback;
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(`has a "${names[0]}" that is no number`);
};

export const FUNCTIONS: Readonly<Record<string, Operation>> = {
  negative: plain('Negative', (tf, x) => tf.neg(x), {
    tensorflow: ['negative', 'neg'],
    layer: ({ name }) => ({ class_name: 'Rescaling', config: { name, trainable: true, scale: -1, offset: 0 } }),
  }),
  absolute: plain('Absolute', (tf, x) => tf.abs(x), { alsoKeras: ['Abs'], tensorflow: ['abs'] }),
  square: plain('Square', (tf, x) => tf.square(x)),
  sqrt: plain('Sqrt', (tf, x) => tf.sqrt(x)),
  rsqrt: unary({ module: 'math', className: 'Rsqrt', tensorflow: ['rsqrt'], compute: (tf, x) => tf.rsqrt(x) }),
  reciprocal: plain('Reciprocal', (tf, x) => tf.reciprocal(x)),
  exp: plain('Exp', (tf, x) => tf.exp(x)),
  expm1: plain('Expm1', (tf, x) => tf.expm1(x)),
  log: plain('Log', (tf, x) => tf.log(x)),
  log1p: plain('Log1p', (tf, x) => tf.log1p(x)),
  sin: plain('Sin', (tf, x) => tf.sin(x)),
  cos: plain('Cos', (tf, x) => tf.cos(x)),
  clip: plain('Clip', (tf, x) => x, {
    tensorflow: ['clip_by_value'],
    settings: (given, refuse) => ({
      low: numberIn(given, ['x_min', 'clip_value_min'], -3.4e38, refuse),
      high: numberIn(given, ['x_max', 'clip_value_max'], 3.4e38, refuse),
    }),
    kerasNames: { low: 'x_min', high: 'x_max' },
    compute: (tf, x, { low, high }) => tf.clipByValue(x, low as number, high as number),
  }),
  relu: unary({
    module: 'nn',
    className: 'Relu',
    alsoKeras: ['ReLU'],
    tensorflow: ['relu'],
    compute: (tf, x) => tf.relu(x),
    layer: ({ name }) => ({ class_name: 'ReLU', config: { name, trainable: true } }),
  }),
  relu6: unary({
    module: 'nn',
    className: 'Relu6',
    tensorflow: ['relu6'],
    compute: (tf, x) => tf.clipByValue(x, 0, 6),
    layer: ({ name }) => ({ class_name: 'ReLU', config: { name, trainable: true, max_value: 6 } }),
  }),
  leakyrelu: unary({
    module: 'nn',
    className: 'LeakyRelu',
    tensorflow: ['leaky_relu'],
    settings: (given, refuse) => ({ slope: numberIn(given, ['negative_slope', 'alpha'], 0.2, refuse) }),
    kerasNames: { slope: 'negative_slope' },
    compute: (tf, x, { slope }) => tf.leakyRelu(x, slope as number),
    layer: ({ name, settings }) => ({ class_name: 'LeakyReLU', config: { name, trainable: true, alpha: settings.slope } }), // prettier-ignore
  }),
  sigmoid: activation('Sigmoid', 'sigmoid', (tf, x) => tf.sigmoid(x)),
  tanh: unary({
    module: 'numpy',
    className: 'Tanh',
    tensorflow: ['tanh'],
    compute: (tf, x) => tf.tanh(x),
    layer: ({ name }) => ({ class_name: 'Activation', config: { name, trainable: true, activation: 'tanh' } }),
  }),
  softplus: activation('Softplus', 'softplus', (tf, x) => tf.softplus(x)),
  softsign: activation('Softsign', 'softsign', (tf, x) => tf.div(x, tf.add(tf.abs(x), 1))),
  selu: activation('Selu', 'selu', (tf, x) => tf.selu(x)),
  silu: activation('Silu', 'swish', (tf, x) => tf.mul(x, tf.sigmoid(x)), ['silu', 'swish']),
  elu: unary({
    module: 'nn',
    className: 'Elu',
    tensorflow: ['elu'],
    settings: (given, refuse) => {
      const alpha = numberIn(given, ['alpha'], 1, refuse);
      return alpha === 1 ? {} : refuse(`is an ELU with alpha ${alpha}; only 1 can be computed`);
    },
    compute: (tf, x) => tf.elu(x),
    layer: ({ name }) => ({ class_name: 'Activation', config: { name, trainable: true, activation: 'elu' } }),
  }),
  /** Values are 32-bit whatever their type was. */
  cast: unary({
    module: 'core',
    className: 'Cast',
    tensorflow: ['cast'],
    settings(given, refuse) {
      const dtype = String(given.dtype);
      return /float/.test(dtype) ? { dtype: 'float32' } : refuse(`casts to ${dtype.slice(0, 30)}; only types of floating point can be computed`); // prettier-ignore
    },
    compute: (tf, x) => tf.cast(x, 'float32'),
    layer: ({ name }) => ({ class_name: 'Activation', config: { name, trainable: true, activation: 'linear' } }),
  }),
};
