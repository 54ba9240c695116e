/** Operations as Keras 3.15 and tf.keras write them, each with its definition in float64 on a sample of shape [2, 3]. */

export type Sample = readonly (readonly number[])[];
type Json = Record<string, unknown>;

/** Stands for the tensor that the operation takes. */
export const X = 'the tensor';

export interface Case {
  readonly name: string;
  readonly module: string;
  readonly className: string;
  readonly config?: Json;
  readonly args: readonly unknown[];
  readonly of: (x: Sample) => readonly number[];
  /** Shape of the output, without the batch. */
  readonly shape: readonly number[];
  /** The layer that it becomes; undefined if it stays an operation. */
  readonly layer?: string;
  /** Our own kernels do not have it: onnx-cpu computes it. */
  readonly slow?: true;
}

const slice = (start: number | null, stop: number | null, step: number | null = null) => ({ class_name: '__slice__', config: { start, stop, step } }); // prettier-ignore
const ALL = slice(null, null);
const each = (f: (x: number) => number) => (x: Sample) => x.flat().map(f);
const numpy = (className: string, args: readonly unknown[], of: Case['of'], more: Partial<Case> = {}): Case => ({
  name: className + JSON.stringify(args.map((one) => (one === X ? 'x' : one))),
  module: 'keras.src.ops.numpy',
  className,
  args,
  of,
  shape: [2, 3],
  ...more,
});
const unary = (className: string, f: (x: number) => number, more: Partial<Case> = {}): Case =>
  numpy(className, [X], each(f), more);
const nn = (className: string, f: (x: number) => number, layer: string, config: Json = {}): Case =>
  unary(className, f, { module: 'keras.src.ops.nn', layer, config });
const reduced = (className: string, config: Json, of: Case['of'], shape: readonly number[], layer?: string): Case =>
  numpy(className, [X], of, { name: className + JSON.stringify(config), config, shape, ...(layer && { layer }) });
const columns = (x: Sample): number[][] => x[0]!.map((_, j) => x.map((row) => row[j]!));
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const softmax = (values: readonly number[]): number[] => {
  const all = values.map(Math.exp);
  return all.map((value) => value / sum(all));
};

export const CASES: readonly Case[] = [
  numpy('Add', [X, 1.5], each((x) => x + 1.5), { layer: 'Rescaling' }),
  numpy('Add', [2, X], each((x) => 2 + x), { layer: 'Rescaling' }),
  numpy('Add', [X, X], each((x) => x + x), { layer: 'Add' }),
  numpy('Multiply', [2, X], each((x) => 2 * x), { layer: 'Rescaling' }),
  numpy('Multiply', [X, X], each((x) => x * x), { layer: 'Multiply' }),
  numpy('Subtract', [X, 3], each((x) => x - 3), { layer: 'Rescaling' }),
  numpy('Subtract', [2, X], each((x) => 2 - x), { layer: 'Rescaling' }),
  numpy('Subtract', [X, X], each((x) => x - x), { layer: 'Add' }),
  numpy('Subtract', [[X, X]], each((x) => x - x), { name: 'Subtract, the layer', module: 'keras.layers', config: { trainable: true }, layer: 'Add' }),
  numpy('TrueDivide', [X, 3], each((x) => x / 3), { layer: 'Rescaling' }),
  numpy('Divide', [1, X], each((x) => 1 / x)),
  numpy('Power', [X, 2], each((x) => x ** 2)),
  numpy('Maximum', [X, 0.25], each((x) => Math.max(x, 0.25))),
  numpy('Minimum', [0.25, X], each((x) => Math.min(x, 0.25))),
  unary('Negative', (x) => -x, { layer: 'Rescaling' }),
  unary('Absolute', Math.abs),
  unary('Square', (x) => x * x),
  unary('Exp', Math.exp),
  unary('Expm1', Math.expm1),
  unary('Sin', Math.sin, { slow: true }),
  unary('Cos', Math.cos, { slow: true }),
  unary('Tanh', Math.tanh, { layer: 'Activation' }),
  unary('Clip', (x) => Math.min(Math.max(x, -0.5), 0.5), { config: { x_min: -0.5, x_max: 0.5 } }),
  nn('Relu', (x) => Math.max(x, 0), 'ReLU'),
  nn('Relu6', (x) => Math.min(Math.max(x, 0), 6), 'ReLU'),
  nn('LeakyRelu', (x) => (x >= 0 ? x : 0.2 * x), 'LeakyReLU', { negative_slope: 0.2 }),
  nn('Sigmoid', (x) => 1 / (1 + Math.exp(-x)), 'Activation'),
  nn('Softplus', (x) => Math.log1p(Math.exp(x)), 'Activation'),
  nn('Softsign', (x) => x / (1 + Math.abs(x)), 'Activation'),
  nn('Silu', (x) => x / (1 + Math.exp(-x)), 'Activation'),
  nn('Elu', (x) => (x >= 0 ? x : Math.expm1(x)), 'Activation', { alpha: 1 }),
  nn('Selu', (x) => 1.0507009873554805 * (x >= 0 ? x : 1.6732632423543772 * Math.expm1(x)), 'Activation'),
  numpy('Softmax', [X], (x) => x.flatMap(softmax), { module: 'keras.src.ops.nn', config: { axis: -1 }, layer: 'Softmax' }),
  numpy('Softmax', [X], (x) => columns(columns(x).map(softmax)).flat(), { name: 'Softmax of axis 1', module: 'keras.src.ops.nn', config: { axis: 1 } }),
  unary('Cast', (x) => x, { module: 'keras.src.ops.core', config: { dtype: 'float32' }, layer: 'Activation' }),
  reduced('Mean', { axis: 1, keepdims: false }, (x) => columns(x).map((c) => sum(c) / 2), [3], 'GlobalAveragePooling1D'),
  reduced('Mean', { axis: [-1], keepdims: true }, (x) => x.map((row) => sum(row) / 3), [2, 1]),
  reduced('Mean', { axis: [1, 2], keepdims: false }, (x) => [sum(x.flat()) / 6], []),
  reduced('Sum', { axis: -1, keepdims: false }, (x) => x.map(sum), [2]),
  reduced('Max', { axis: 1, keepdims: false }, (x) => columns(x).map((c) => Math.max(...c)), [3], 'GlobalMaxPooling1D'),
  reduced('Max', { axis: 2, keepdims: true }, (x) => x.map((row) => Math.max(...row)), [2, 1]),
  reduced('Min', { axis: 2, keepdims: false }, (x) => x.map((row) => Math.min(...row)), [2]),
  numpy('GetItem', [X, [ALL, 0]], (x) => x[0]!, { shape: [3] }),
  numpy('GetItem', [X, [ALL, -1, slice(1, null)]], (x) => x[1]!.slice(1), { shape: [2] }),
  numpy('GetItem', [X, [ALL, ALL, slice(null, null, 2)]], (x) => x.flatMap((row) => [row[0]!, row[2]!]), { shape: [2, 2] }),
  numpy('GetItem', [X, [{ class_name: '__ellipsis__', config: {} }, slice(null, -1)]], (x) => x.flatMap((row) => row.slice(0, -1)), { shape: [2, 2] }),
  numpy('Reshape', [X], (x) => x.flat(), { config: { newshape: [-1, 6] }, shape: [6], layer: 'Reshape' }),
  numpy('Transpose', [X], (x) => columns(x).flat(), { config: { axes: [0, 2, 1] }, shape: [3, 2], layer: 'Permute' }),
  numpy('ExpandDims', [X], (x) => x.flat(), { config: { axis: -1 }, shape: [2, 3, 1], layer: 'Reshape' }),
  numpy('Concatenate', [[X, X]], (x) => x.flatMap((row) => [...row, ...row]), { config: { axis: -1 }, shape: [2, 6], layer: 'Concatenate' }),
  // Spellings in Keras's HDF5 files, which do not name the module.
  numpy('Subtract', [0.5, X], each((x) => 0.5 - x), { name: 'Subtract without a module', module: '', layer: 'Rescaling' }),
]; // prettier-ignore

/** Nodes as tf.keras writes them: the function, and the inbound node. */
export const TENSORFLOW: readonly (readonly [fn: string, node: unknown, of: Case['of'], shape: readonly number[]])[] = [
  ['math.multiply', ['before', 0, 0, { y: 2, name: null }], each((x) => 2 * x), [2, 3]],
  ['__operators__.add', ['before', 0, 0, { y: ['before', 0, 0], name: null }], each((x) => x + x), [2, 3]],
  ['math.subtract', ['_CONSTANT_VALUE', -1, 2, { y: ['before', 0, 0], name: null }], each((x) => 2 - x), [2, 3]],
  ['math.truediv', ['before', 0, 0, { y: 4, name: null }], each((x) => x / 4), [2, 3]],
  ['nn.relu', ['before', 0, 0, { name: null }], each((x) => Math.max(x, 0)), [2, 3]],
  ['math.reduce_mean', ['before', 0, 0, { axis: [1], keepdims: false, name: null }], (x) => columns(x).map((c) => sum(c) / 2), [3]],
  ['reshape', ['before', 0, 0, { shape: [-1, 6] }], (x) => x.flat(), [6]],
  ['concat', [['before', 0, 0, { axis: 1 }], ['before', 0, 0, { axis: 1 }]], (x) => [...x.flat(), ...x.flat()], [4, 3]],
  ['__operators__.getitem', ['before', 0, 0, { slice_spec: [{ start: null, stop: null, step: null }, { start: 1, stop: null, step: null }] }], (x) => x[1]!, [1, 3]],
]; // prettier-ignore
