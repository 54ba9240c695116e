/**
 * The graph between TensorFlow.js, which says what a model and its gradients are, and whatever computes them.
 *
 * A graph is in static single assignment form: every node has one output tensor of a known, fixed shape, so a node *is* its
 * value. Nodes are immutable and hash-consed by `GraphBuilder`: equal computations are one node. Tensors are dense, row
 * major; images are NHWC and filters HWIO as in TensorFlow.js (an executor may choose another layout inside).
 *
 * The vocabulary is TensorFlow.js's kernel names, reduced: composite kernels (fused matmul and convolution, batch
 * normalisation, split, unpack...) are lowered when they are traced. `Op` lists it with its attributes; an executor that
 * implements these operations runs every graph.
 */

export type DType = 'float32' | 'int32' | 'bool';

/** Element-wise, of one tensor. */
export const unaryOps = [
  'Abs', 'Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Ceil', 'Cos', 'Cosh', 'Elu', 'Erf', 'Exp', 'Expm1', 'Floor', 'IsNan', 'Log', 'Log1p',
  'LogicalNot', 'Neg', 'Reciprocal', 'Relu', 'Relu6', 'Round', 'Rsqrt', 'Selu', 'Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softplus',
  'Sqrt', 'Square', 'Tan', 'Tanh',
] as const; // prettier-ignore

/** Element-wise, of two tensors, broadcast as in NumPy. Comparisons and logic give bool. */
export const binaryOps = [
  'Add', 'Atan2', 'Equal', 'FloorDiv', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr', 'LogicalXor',
  'Maximum', 'Minimum', 'Mod', 'Multiply', 'NotEqual', 'Pow', 'RealDiv', 'SquaredDifference', 'Sub',
] as const; // prettier-ignore

export type UnaryOp = (typeof unaryOps)[number];
export type BinaryOp = (typeof binaryOps)[number];

/**
 * Attributes in braces. Axes are non-negative and sorted; `pads` are [top, left, bottom, right]; `strides`, `dilations`,
 * `window` are [height, width].
 * - Input, Constant: leaves. A constant is a splat (one number everywhere) or has values.
 * - LeakyRelu {alpha}, ClipByValue {min, max}, Step {alpha}: x > 0 ? 1 : alpha.
 * - Cast: to the node's dtype; to int32 truncates.
 * - EluGrad (dy, y): dy * (y >= 0 ? 1 : y + 1). Select (condition, t, e): element-wise, broadcast.
 * - Prelu (x, alpha): x >= 0 ? x : alpha * x.
 * - Softmax, LogSoftmax: over the last axis.
 * - MatMul {transposeA, transposeB}: [..., M, K] x [..., K, N]; leading axes broadcast.
 * - Sum, Mean, Max, Min, Prod {axes, keepDims}; ArgMax, ArgMin {axis}: int32.
 * - Reshape; Transpose {perm}; Slice {begin}: of the node's shape; StridedSlice {begin, end, strides}; Concat {axis};
 *   Pad {before, after, value}; MirrorPad {before, after, mode}; Tile {reps}; Reverse {axes}.
 * - Gather {axis}: (x, int32 indices); SegmentSum (x, int32 ids): rows of x summed by id into the node's shape[0] rows.
 * - OneHot {onValue, offValue}: depth is the last axis of the node's shape. Cumsum {axis, exclusive, reverse}.
 * - Conv2D (x, filter), Conv2DBackpropInput (dy, filter), Conv2DBackpropFilter (x, dy) {strides, dilations, pads}; the
 *   DepthwiseConv2D triple alike, with filters [height, width, channels, multiplier].
 * - MaxPool (x), AvgPool (x) {window, strides, pads}: padding counts neither as value nor in the average.
 *   MaxPoolGrad (dy, x, y): of equal maxima in a window one takes the gradient (the first, row-major). AvgPoolGrad (dy).
 * - ResizeNearest, ResizeBilinear (x) {alignCorners, halfPixelCenters}.
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
  /** Unique in its graph, increasing: inputs of a node have smaller ids. */
  readonly id: number;
  readonly op: Op;
  readonly inputs: readonly Node[];
  readonly attrs: Attributes;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Of constants: every element, or the one number that all elements are. */
  readonly constant?: Float32Array | Int32Array | number;
  /** The model's layer it came from (of a gradient: the layer it belongs to), for messages. */
  readonly layer?: string;
}

/** How an input of role `random` is filled before each run, independently per element. */
export type RandomSpec =
  { readonly kind: 'uniform' } | { readonly kind: 'normal'; readonly mean: number; readonly std: number };

/**
 * What feeds a graph. `data`: model input number `index`; `target`: the labels; `parameter` and `state`: a weight by name;
 * `random`: drawn anew for every run.
 */
export type GraphInput = { readonly node: Node } & (
  | { readonly role: 'data'; readonly index: number }
  | { readonly role: 'target' }
  | { readonly role: 'parameter' | 'state'; readonly name: string }
  | { readonly role: 'random'; readonly random: RandomSpec }
);

/** What a graph gives: the mean loss (rank 0), gradients by parameter, next states by weight, the model's output. */
export type GraphOutput = { readonly node: Node } & (
  { readonly role: 'loss' | 'output' } | { readonly role: 'gradient' | 'state'; readonly name: string }
);

export interface Graph {
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly GraphOutput[];
  /** The live nodes other than inputs and constants, in topological order. */
  readonly nodes: readonly Node[];
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

/** The NumPy broadcast of two shapes. @throws RangeError when they do not match. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const m = a[i - rank + a.length] ?? 1;
    const n = b[i - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) throw new RangeError(`shapes [${a}] and [${b}] do not broadcast`);
    return m === 1 ? n : m;
  });
}
