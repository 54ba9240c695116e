/**
 * The graph between the meaning of a model's file (for layers: the kernels that TensorFlow.js calls) and the executor that computes it.
 * Gradients consist of the same operations (`gradient/`).
 *
 * A graph is in static single assignment form: every node has one output tensor of a known, fixed shape, so a node *is* its
 * value. Nodes are immutable and hash-consed by `GraphBuilder`: equal computations are one node. Tensors are dense, row
 * major; images are NHWC and filters HWIO as in TensorFlow.js (an executor may choose another layout inside).
 *
 * The vocabulary is TensorFlow.js's kernel names, reduced: composite kernels (fused matmul and convolution, batch
 * normalisation, split, unpack...) are lowered when they are traced. `Op` lists it with its attributes; an executor that
 * implements these operations runs every graph.
 */
import { sizeOf } from '../protocol/shape.js';
import { Misfit } from './misfit.js';

export type DType = 'float32' | 'int32' | 'bool';

/** Element-wise, of one float32 tensor, of its shape. Abs, Neg, Relu, Sign and Square take int32 too; LogicalNot takes bool. IsNan gives bool. */
export const unaryOps = [
  'Abs', 'Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Ceil', 'Cos', 'Cosh', 'Elu', 'Erf', 'Exp', 'Expm1', 'Floor', 'IsNan', 'Log', 'Log1p',
  'LogicalNot', 'Neg', 'Reciprocal', 'Relu', 'Relu6', 'Round', 'Rsqrt', 'Selu', 'Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softplus',
  'Sqrt', 'Square', 'Tan', 'Tanh',
] as const; // prettier-ignore

/**
 * Element-wise, of two tensors of one type, broadcast as in NumPy. Arithmetic is of float32 or int32 (Atan2, FloorDiv, Mod and
 * RealDiv of float32 only) and gives that type. Comparisons give bool: Equal and NotEqual of any type, the others of numbers.
 * Logic is of bool and gives bool.
 */
export const binaryOps = [
  'Add', 'Atan2', 'Equal', 'FloorDiv', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr', 'LogicalXor',
  'Maximum', 'Minimum', 'Mod', 'Multiply', 'NotEqual', 'Pow', 'RealDiv', 'SquaredDifference', 'Sub',
] as const; // prettier-ignore

export type UnaryOp = (typeof unaryOps)[number];
export type BinaryOp = (typeof binaryOps)[number];

/**
 * Each operation has exactly the attributes in braces. Tensors are float32 unless the entry gives another type, the result has the type
 * and the shape of the first input, and numbers are not NaN. Axes count from 0; lists of axes are sorted, each axis once.
 * Lists with an entry for each axis of the input: begin, end, strides of StridedSlice, before, after, reps, perm.
 * `pads` are [top, left, bottom, right], from 0; `strides`, `dilations`, `window` are [height, width], from 1.
 * `verify/` checks all of it, operation by operation.
 * - Input, Constant: leaves. A constant is a splat (one number everywhere) or has values: of float32 a Float32Array, of
 *   int32 and bool (0 or 1) an Int32Array. Inputs are float32.
 * - LeakyRelu {alpha}, ClipByValue {min, max}: min <= max, Step {alpha}: x > 0 ? 1 : alpha.
 * - Cast: of any type to the node's; to int32 truncates.
 * - EluGrad (dy, y), of one shape: dy * (y >= 0 ? 1 : y + 1). Select (bool condition, t, e): t and e of any one type;
 *   element-wise, broadcast.
 * - Prelu (x, alpha): x >= 0 ? x : alpha * x, alpha broadcast to the shape of x.
 * - Softmax, LogSoftmax: over the last axis, of rank 1 at least.
 * - MatMul {transposeA, transposeB}: [..., M, K] x [..., K, N]; transposing a factor swaps its last two axes;
 *   leading axes broadcast.
 * - Sum, Max, Min, Prod of float32 or int32, Mean {axes, keepDims}: without axes they return their input. ArgMax, ArgMin
 *   {axis}: of float32 or int32, to int32, without the axis.
 * - Of any type: Reshape; Transpose {perm}: axis i of the result is axis perm[i]; Slice {begin}: of the node's shape, within
 *   the input; StridedSlice {begin, end, strides}: 0 <= begin <= end <= size, ceil((end - begin) / stride) elements;
 *   Concat {axis}: of one input or more, alike but for the axis; Pad {before, after, value}; MirrorPad {before, after, mode}:
 *   mode "reflect" leaves the edge out of the mirror image, "symmetric" has it, and padding is not longer than the image;
 *   Tile {reps}, from 1; Reverse {axes}.
 * - Gather {axis}: (x of any type, int32 indices): the axis becomes the axes of the indices. SegmentSum (x, int32 ids): rows
 *   of x summed by id into the node's shape[0] rows; one id a row.
 * - OneHot {onValue, offValue} of int32, to the node's type: depth is the last axis of the node's shape.
 *   Cumsum {axis, exclusive, reverse}, of float32 or int32.
 * - Conv2D (x, filter), Conv2DBackpropInput (dy, filter), Conv2DBackpropFilter (x, dy) {strides, dilations, pads}: filters
 *   [height, width, channels, filters], of as many channels as x. Along height and width of x with its padding there are
 *   floor((size - reach) / stride) + 1 windows, at least one, with reach = (filter size - 1) * dilation + 1.
 *   The DepthwiseConv2D triple alike, with filters [height, width, channels, multiplier], to channels * multiplier.
 * - MaxPool (x), AvgPool (x) {window, strides, pads}: as many windows. Padding counts neither as value nor in the average, and
 *   is smaller than the window on each side, so that every window has a pixel.
 *   MaxPoolGrad (dy, x, y), where y is the MaxPool of x by the same windows: of equal maxima in a window one takes the
 *   gradient (the first, row-major). AvgPoolGrad (dy).
 * - ResizeNearest, ResizeBilinear (x) {alignCorners, halfPixelCenters}, not both: to height and width of the node's shape.
 */
export type Op =
  | UnaryOp
  | BinaryOp
  | 'Input'
  | 'Constant'
  | 'LeakyRelu'
  | 'ClipByValue'
  | 'Step'
  | 'Cast'
  | 'EluGrad'
  | 'Select'
  | 'Prelu'
  | 'Softmax'
  | 'LogSoftmax'
  | 'MatMul'
  | 'Sum'
  | 'Mean'
  | 'Max'
  | 'Min'
  | 'Prod'
  | 'ArgMax'
  | 'ArgMin'
  | 'Reshape'
  | 'Transpose'
  | 'Slice'
  | 'StridedSlice'
  | 'Concat'
  | 'Pad'
  | 'MirrorPad'
  | 'Tile'
  | 'Reverse'
  | 'Gather'
  | 'SegmentSum'
  | 'OneHot'
  | 'Cumsum'
  | 'Conv2D'
  | 'Conv2DBackpropInput'
  | 'Conv2DBackpropFilter'
  | 'DepthwiseConv2D'
  | 'DepthwiseConv2DBackpropInput'
  | 'DepthwiseConv2DBackpropFilter'
  | 'MaxPool'
  | 'MaxPoolGrad'
  | 'AvgPool'
  | 'AvgPoolGrad'
  | 'ResizeNearest'
  | 'ResizeBilinear';

export type Attribute = number | boolean | string | readonly number[];
export type Attributes = Readonly<Record<string, Attribute>>;

export interface Node {
  /** Unique in its graph, increasing along its nodes: inputs of a node have smaller ids. */
  readonly id: number;
  readonly op: Op;
  readonly inputs: readonly Node[];
  readonly attrs: Attributes;
  /** Whole numbers. Some may be 0 while a model is traced; none is 0 in a finished graph, and a tensor has at most `maxSize` elements. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Of constants: every element, or the one number that all elements equal. */
  readonly constant?: Float32Array | Int32Array | number;
  /** The model's layer that the node comes from, for messages; a gradient has the layer that it belongs to. */
  readonly layer?: string;
}

/** How an input of role `random` is filled before each run, independently per element. */
export type RandomSpec =
  { readonly kind: 'uniform' } | { readonly kind: 'normal'; readonly mean: number; readonly std: number };

/**
 * The source of an input. `data`: model input number `index`. `target`: the labels of the trained output, of the jointly
 * trained ones, numbered from 1, and last a teacher's answers. `parameter` and `state`: a weight by name. `random`: new numbers for every run. A graph has
 * each data input, weight and target once. It leaves out weights that no node reads.
 */
export type GraphInput = { readonly node: Node } & (
  | { readonly role: 'data'; readonly index: number }
  | { readonly role: 'target'; readonly index?: number }
  | { readonly role: 'parameter' | 'state'; readonly name: string }
  | { readonly role: 'random'; readonly random: RandomSpec }
);

/**
 * The meaning of an output, all float32: the mean loss (rank 0), gradients by parameter and next states by weight, of their shapes,
 * the model's output with its mask, and the jointly trained outputs, numbered from 1. Each loss, gradient and state occurs once. An
 * output may be an input or a constant.
 */
export type GraphOutput = { readonly node: Node } & (
  | { readonly role: 'loss' }
  | { readonly role: 'output' | 'mask'; readonly index?: number }
  | { readonly role: 'gradient' | 'state'; readonly name: string }
);

export interface Graph {
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly GraphOutput[];
  /** The nodes other than inputs and constants, in topological order: each is read by a later one or is an output. */
  readonly nodes: readonly Node[];
}

/** The largest number of elements of a tensor: executors count them in 32 bits. */
export const maxSize = 2 ** 31 - 1;

/** Whether an executor can hold a tensor of the shape: it is not empty and has at most `maxSize` elements. */
export const sizeFits = (shape: readonly number[]): boolean => shape.every((n) => n >= 1) && sizeOf(shape) <= maxSize;

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

/** The NumPy broadcast of two shapes. @throws Misfit when they do not match. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const m = a[i - rank + a.length] ?? 1;
    const n = b[i - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) throw new Misfit(`shapes [${a}] and [${b}] do not broadcast`);
    return m === 1 ? n : m;
  });
}

/** The inverse of a permutation of axes. */
export const inverse = (perm: readonly number[]): number[] => perm.map((_, i) => perm.indexOf(i));
