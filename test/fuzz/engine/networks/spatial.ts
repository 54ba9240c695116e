/** Convolutions, pooling, padding and the like over sequences, images and volumes. */
import { anySize, type Builder, chance, pick, type Tensor } from './builder.js';
import { dataFormat, kernelSettings, padding, spatialSizes, type Step, stridesFor, windowOf } from './settings.js';

/** Channels sometimes come first, if the layers allow it. */
const firstNow = (b: Builder, x: Tensor): boolean => x.shape.length > 2 && chance(b.random, 0.07);

/** Kernels so large that a filter's gradient, or its lines, are odd; strides and dilations that leave rests. */
export const convolution: Step = (b, x) => {
  const { random } = b;
  const rank = x.shape.length - 1;
  const first = firstNow(b, x);
  const kernel = windowOf(random, spatialSizes(x, first));
  const strides = stridesFor(random, kernel, 0.75);
  const dilate = strides.every((s) => s === 1) && rank < 3 && chance(random, 0.12);
  return b.add(
    `Conv${rank}D`,
    {
      filters: anySize(random, 65),
      kernel_size: kernel,
      strides,
      padding: padding(random),
      ...dataFormat(first),
      ...(dilate ? { dilation_rate: kernel.map(() => 1 + random.below(3)) } : {}),
      ...kernelSettings(random),
    },
    x,
  );
};

const depthwise: Step = (b, x) => {
  const { random } = b;
  if (x.shape.length !== 3) return undefined;
  const first = firstNow(b, x);
  const kernel = windowOf(random, spatialSizes(x, first));
  const common = { kernel_size: kernel, strides: stridesFor(random, kernel, 0.75), padding: padding(random), depth_multiplier: pick(random, [1, 1, 2, 3]), ...dataFormat(first) }; // prettier-ignore
  if (chance(random, 0.6)) return b.add('DepthwiseConv2D', { ...common, ...kernelSettings(random, 'depthwise') }, x);
  return b.add('SeparableConv2D', { ...common, strides: kernel.map(() => common.strides[0]!), filters: anySize(random, 33), ...kernelSettings(random, 'depthwise') }, x); // prettier-ignore
};

const transposed: Step = (b, x) => {
  const { random } = b;
  const rank = x.shape.length - 1;
  if (rank < 2) return undefined;
  const first = rank === 2 && firstNow(b, x);
  const kernel = windowOf(random, spatialSizes(x, first).map(() => 4), 0.05); // prettier-ignore
  const strides = kernel.map(() => pick(random, [1, 1, 2, 3]));
  return b.add(`Conv${rank}DTranspose`, { filters: anySize(random, 17), kernel_size: kernel, strides, padding: padding(random), ...dataFormat(first), ...kernelSettings(random) }, x); // prettier-ignore
};

/** Windows as large as the input (hundreds of elements) are common in sequences: global pooling by another name. */
export const pooling: Step = (b, x) => {
  const { random } = b;
  const rank = x.shape.length - 1;
  const first = firstNow(b, x);
  const sizes = spatialSizes(x, first);
  const kind = chance(random, 0.65) ? 'Max' : 'Average';
  if (rank < 3 && chance(random, 0.15))
    return b.add(`Global${kind}Pooling${rank}D`, rank === 2 ? dataFormat(first) : {}, x);
  const window = chance(random, 0.05) ? sizes.map((n) => n + random.below(2)) : windowOf(random, sizes, 0.15);
  return b.add(`${kind}Pooling${rank}D`, { pool_size: window, strides: stridesFor(random, window, 0.2), padding: chance(random, 0.65) ? 'valid' : 'same', ...(rank > 1 ? dataFormat(first) : {}) }, x); // prettier-ignore
};

const border: Step = (b, x) => {
  const { random } = b;
  if (x.shape.length !== 3) return undefined;
  const sides = () => [random.below(3), random.below(3)];
  // Channels-first on a channels-last tensor pads the channels, as the shortcuts of ResNets do.
  const format = dataFormat(chance(random, 0.2));
  return chance(random, 0.5)
    ? b.add('ZeroPadding2D', { padding: [sides(), sides()], ...format }, x)
    : b.add('Cropping2D', { cropping: [sides(), sides()], ...format }, x);
};

const upsampling: Step = (b, x) =>
  x.shape.length === 3
    ? b.add('UpSampling2D', { size: [1 + b.random.below(3), 1 + b.random.below(3)], interpolation: chance(b.random, 0.75) ? 'nearest' : 'bilinear', ...dataFormat(firstNow(b, x)) }, x) // prettier-ignore
    : undefined;

/** One after the other, as long as each fits. */
const chain =
  (...steps: Step[]): Step =>
  (b, x) =>
    steps.reduce<Tensor | undefined>((at, step) => at && step(b, at), x);

const linearConvolution: Step = (b, x) => {
  const { random } = b;
  const kernel = windowOf(random, spatialSizes(x, false), 0.05);
  return b.add(`Conv${x.shape.length - 1}D`, { filters: anySize(random, 33), kernel_size: kernel, strides: stridesFor(random, kernel, 0.8), padding: padding(random), activation: 'linear', use_bias: chance(random, 0.7) }, x); // prettier-ignore
};

const maxPooling: Step = (b, x) => {
  const { random } = b;
  const window = windowOf(random, spatialSizes(x, false), 0.2);
  return b.add(`MaxPooling${x.shape.length - 1}D`, { pool_size: window, strides: stridesFor(random, window, 0.15), padding: chance(random, 0.8) ? 'valid' : 'same' }, x); // prettier-ignore
};

const layer =
  (name: string, config: object): Step =>
  (b, x) =>
    b.add(name, { ...config }, x);

/** [a, b, c] -> [a, b, 1, c], or an image's lines one after the other: pooling then slides over what was no axis before. */
const refold: Step = (b, x) => {
  const { shape } = x;
  const flat = shape.length === 3 ? [shape[0]! * shape[1]!, shape[2]!] : [...shape.slice(0, -1), 1, shape.at(-1)!];
  const turned = shape.length === 2 ? [1, ...shape] : shape;
  return b.add('Reshape', { target_shape: chance(b.random, 0.5) ? flat : turned }, x);
};

/** Combinations that real networks have and kernels fuse. */
const blocks: readonly Step[] = [
  chain(linearConvolution, maxPooling),
  chain(linearConvolution, maxPooling),
  chain(linearConvolution, refold, pooling),
  chain(
    linearConvolution,
    layer('BatchNormalization', { axis: -1 }),
    layer('Activation', { activation: 'relu' }),
    pooling,
  ),
  chain(linearConvolution, layer('Activation', { activation: 'relu' }), maxPooling),
  chain(linearConvolution, layer('LeakyReLU', { alpha: 0.1 }), maxPooling),
  chain(convolution, convolution, pooling),
];

export const spatial: Step = (b, x) =>
  pick<Step>(b.random, [...blocks, convolution, convolution, pooling, pooling, depthwise, transposed, border, upsampling])(b, x); // prettier-ignore
