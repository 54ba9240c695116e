/** Layers that take tensors of every rank: activations, normalisations, noise, merges, and what moves axes about. */
import { anySize, type Builder, chance, pick, type Tensor } from './builder.js';
import { anyActivation, kernelSettings, type Step } from './settings.js';

const rate = { rate: 0.4 };

/** Axes counted with the batch, as configs have them. */
const axesOf = (x: Tensor): number[] => x.shape.map((_, i) => i + 1);

const prelu: Step = (b, x) => {
  const axes = axesOf(x);
  const shared = x.shape.length > 1 && chance(b.random, 0.6);
  return b.add('PReLU', shared ? { shared_axes: chance(b.random, 0.6) ? axes.slice(0, -1) : axes.filter(() => chance(b.random, 0.5)) } : {}, x); // prettier-ignore
};

const batchNormalization: Step = (b, x) => {
  const { random } = b;
  const axis = chance(random, 0.8) ? -1 : pick(random, axesOf(x));
  return b.add('BatchNormalization', { axis, momentum: pick(random, [0.9, 0.99]), epsilon: pick(random, [0.001, 0.01]), center: chance(random, 0.85), scale: chance(random, 0.85) }, x); // prettier-ignore
};

const layerNormalization: Step = (b, x) => {
  const { random } = b;
  const axes = axesOf(x);
  const axis = chance(random, 0.6) ? -1 : chance(random, 0.5) ? pick(random, axes) : axes;
  return b.add('LayerNormalization', { axis, epsilon: 0.001, center: chance(random, 0.85), scale: chance(random, 0.85) }, x); // prettier-ignore
};

/** Divides the sizes into other axes of the same number of elements. */
const reshape: Step = (b, x) => {
  const { random } = b;
  const total = x.shape.reduce((product, n) => product * n, 1);
  const shape: number[] = [];
  let rest = total;
  for (let rank = random.below(4); rank > 0; rank--) {
    const divisors = [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17].filter((n) => rest % n === 0);
    const n = pick(random, divisors);
    shape.push(n);
    rest /= n;
  }
  return b.add('Reshape', { target_shape: chance(random, 0.5) ? [...shape, rest] : [rest, ...shape] }, x);
};

/** Reshapes to one axis of length 1 more or less, as real models do between a product and its pooling. */
const unitAxis: Step = (b, x) => {
  const { random } = b;
  const at = random.below(x.shape.length + 1);
  const ones = x.shape.map((n, i) => (n === 1 ? i : -1)).filter((i) => i >= 0);
  const drop = ones.length > 0 && x.shape.length > 1 && chance(random, 0.5);
  return b.add('Reshape', { target_shape: drop ? x.shape.toSpliced(pick(random, ones), 1) : x.shape.toSpliced(at, 0, 1) }, x); // prettier-ignore
};

const permute: Step = (b, x) => {
  const dims = Uint32Array.from(axesOf(x));
  b.random.shuffle(dims);
  return b.add('Permute', { dims: [...dims] }, x);
};

export const dense = (b: Builder, x: Tensor, units = anySize(b.random, 65)): Tensor | undefined =>
  b.add('Dense', { units, ...kernelSettings(b.random) }, x);

const softmax: Step = (b, x) => b.add('Softmax', { axis: chance(b.random, 0.7) ? -1 : pick(b.random, axesOf(x)) }, x);

export const elementwise: Step = (b, x) =>
  pick<Step>(b.random, [
    () => b.add('Activation', { activation: anyActivation(b.random) }, x),
    () => b.add('Activation', { activation: 'relu' }, x),
    () => b.add('Activation', { activation: 'relu' }, x),
    () => b.add('ReLU', chance(b.random, 0.5) ? { max_value: 1.5 } : {}, x),
    () => b.add('LeakyReLU', { alpha: 0.2 }, x),
    () => b.add('ELU', { alpha: 1 }, x),
    () => b.add('ThresholdedReLU', { theta: 0.3 }, x),
    () => b.add('Rescaling', { scale: 0.7, offset: -0.1 }, x),
    prelu,
    softmax,
    batchNormalization,
    batchNormalization,
    layerNormalization,
    () => b.add('Dropout', rate, x),
    () => b.add('GaussianNoise', { stddev: 0.3 }, x),
    () => b.add('GaussianDropout', rate, x),
    () => b.add('AlphaDropout', rate, x),
  ])(b, x);

export const moving: Step = (b, x) => pick<Step>(b.random, [reshape, unitAxis, unitAxis, permute])(b, x);

const MERGES = [
  'Add',
  'Add',
  'Add',
  'Multiply',
  'Average',
  'Maximum',
  'Minimum',
  'Concatenate',
  'Concatenate',
] as const;

/** Joins tensors, the same one twice perhaps. */
export function merge(b: Builder, parts: readonly Tensor[]): Tensor | undefined {
  const { random } = b;
  const [first, ...others] = parts.map(({ shape }) => String(shape));
  const equal = others.every((shape) => shape === first);
  const name = equal ? pick(random, MERGES) : 'Add';
  const axis = chance(random, 0.7) ? -1 : pick(random, axesOf(parts[0]!));
  return b.add(name, name === 'Concatenate' ? { axis } : {}, ...parts);
}

/** Merges that broadcast: a tensor with one of axes of length 1. */
export function broadcastMerge(b: Builder, x: Tensor, small: Tensor): Tensor | undefined {
  return b.add(pick(b.random, ['Add', 'Multiply', 'Maximum', 'Average']), {}, x, small);
}

/** Products of rows: of vectors a number, of sequences a matrix. */
export const dot = (b: Builder, x: Tensor, y: Tensor): Tensor | undefined =>
  x.shape.length <= 2 ? b.add('Dot', { axes: x.shape.length === 1 ? -1 : pick(b.random, [1, 2]), normalize: chance(b.random, 0.2) }, x, y) : undefined; // prettier-ignore
