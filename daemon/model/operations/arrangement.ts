/** Operations that reshape or transpose a sample, or join samples' tensors. */
import type { Json } from '../layers/layerConfig.js';
import { sizeOf } from '../../protocol/shape.js';
import type { Shape } from '../layers/shape.js';
import { isClosed, onlyTensors, type Operation, type OperationConfig } from './operation.js';
import type { Refuse } from '../layers/refuse.js';

const integers = (value: unknown): number[] | null =>
  Array.isArray(value) && (value as unknown[]).every((n) => n === null || Number.isInteger(n))
    ? (value as (number | null)[]).map((n) => n ?? -1)
    : null;

/** The axis of a sample, without the batch; null if the sample does not have it. */
const axisOf = (axis: number, rank: number): number | null => {
  const at = axis < 0 ? axis + rank : axis - 1;
  return at >= 0 && at < rank ? at : null;
};

const toShape = ({ name }: OperationConfig, shape: Shape | null) =>
  shape && isClosed(shape) ? { class_name: 'Reshape', config: { name, trainable: true, target_shape: [...shape] } } : null; // prettier-ignore

function oneAxis(given: Json, refuse: Refuse): Json {
  const axis = given.axis ?? given.dim ?? -1;
  if (typeof axis !== 'number') return refuse('has an "axis" that is no number');
  return axis === 0 ? refuse('joins or moves the samples of a batch (axis 0)') : { axis };
}

/** Another shape with as many elements, in the same order. */
const reshaping = (
  className: string,
  tensorflow: string,
  settings: Operation['settings'],
  target: (input: Shape, settings: Json) => Shape | null,
): Operation => ({
  keras: { module: 'numpy', className },
  tensorflow: [tensorflow],
  arity: 1,
  settings,
  shape: ([input = null], config) => input && target(input, config.settings),
  compute: (tf, [x], given) => tf.reshape(x!, [x!.shape[0]!, ...(target(x!.shape.slice(1), given) as number[])]),
  asLayer: (config, [input]) => toShape(config, target(input!, config.settings)),
});

export const ARRANGEMENT: Readonly<Record<string, Operation>> = {
  reshape: reshaping(
    'Reshape',
    'reshape',
    (given, refuse) => {
      const shape = integers(given.newshape ?? given.shape);
      if (!shape || shape.length === 0) return refuse('has a shape that is no list of numbers');
      if (shape[0] !== -1) return refuse('gives the batch a size; its first size must be -1');
      return { newshape: shape };
    },
    (input, { newshape }) => {
      const wanted = (newshape as number[]).slice(1);
      if (!isClosed(input)) return wanted.map((n) => (n < 0 ? null : n));
      const known = sizeOf(wanted.filter((n) => n >= 0));
      // The batch's -1 must be its only open size.
      if (!wanted.includes(-1)) return known === sizeOf(input) ? wanted : null;
      return wanted.map((n) => (n < 0 ? sizeOf(input) / known : n));
    },
  ),
  expanddims: reshaping('ExpandDims', 'expand_dims', oneAxis, (input, { axis }) => {
    const at = axisOf(axis as number, input.length + 1);
    return at === null ? null : input.toSpliced(at, 0, 1);
  }),
  squeeze: reshaping(
    'Squeeze',
    'squeeze',
    (given, refuse) => {
      const value = given.axis ?? given.squeeze_dims;
      const axis = value == null ? null : [value].flat();
      if (axis?.includes(0)) return refuse('takes the axis of the batch away');
      return { axis };
    },
    (input, { axis }) => {
      if (axis === null) return input.filter((n) => n !== 1);
      const gone = (axis as number[]).map((one) => axisOf(one, input.length));
      return gone.some((at) => at === null || input[at] !== 1) ? null : input.filter((_, at) => !gone.includes(at));
    },
  ),
  transpose: {
    keras: { module: 'numpy', className: 'Transpose' },
    tensorflow: ['transpose'],
    arity: 1,
    settings(given, refuse) {
      const axes = integers(given.axes ?? given.perm);
      if (axes?.[0] !== 0) return refuse('moves the axis of the batch; name the axes, the batch first');
      return { axes };
    },
    shape([input = null], { settings }) {
      const axes = (settings.axes as number[]).slice(1).map((axis) => axis - 1);
      if (axes.length !== input?.length || [...axes].sort((a, b) => a - b).some((axis, i) => axis !== i)) return null;
      return axes.map((axis) => input[axis]!);
    },
    compute: (tf, [x], { axes }) => tf.transpose(x!, axes as number[]),
    asLayer: ({ name, settings }) => ({ class_name: 'Permute', config: { name, trainable: true, dims: (settings.axes as number[]).slice(1) } }), // prettier-ignore
  },
  concatenate: {
    keras: { module: 'numpy', className: 'Concatenate' },
    tensorflow: ['concat'],
    arity: null,
    settings: oneAxis,
    shape(inputs, { settings }) {
      const [first] = inputs;
      const at = first ? axisOf(settings.axis as number, first.length) : null;
      if (!first || at === null || inputs.some((shape) => shape?.length !== first.length)) return null;
      const sizes = inputs.map((shape) => shape![at]!);
      return first.with(at, sizes.includes(null as unknown as number) ? null : sizeOfSum(sizes));
    },
    compute: (tf, operands, { axis }) => tf.concat([...operands], axis as number),
    asLayer: ({ name, settings }) => ({ class_name: 'Concatenate', config: { name, trainable: true, axis: settings.axis } }),
  },
  matmul: {
    keras: { module: 'numpy', className: 'Matmul' },
    tensorflow: ['matmul'],
    arity: 2,
    settings(given, refuse) {
      const set = ['transpose_a', 'transpose_b', 'adjoint_a', 'adjoint_b', 'a_is_sparse', 'b_is_sparse'].find((name) => given[name] === true);
      return set === undefined ? {} : refuse(`has ${set}; transpose the tensor in front of it`);
    },
    shape([a = null, b = null], config) {
      if (!a || !b || !onlyTensors(config) || a.length < 2 || a.length !== b.length || a.at(-1) !== b.at(-2)) return null;
      return String(a.slice(0, -2)) === String(b.slice(0, -2)) ? [...a.slice(0, -1), b.at(-1)!] : null;
    },
    compute: (tf, [a, b]) => tf.matMul(a!, b!),
  },
}; // prettier-ignore

function sizeOfSum(sizes: readonly number[]): number {
  return sizes.reduce((sum, n) => sum + n, 0);
}
