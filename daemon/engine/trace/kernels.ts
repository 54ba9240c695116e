import type { GraphBuilder } from '../../network/builder.js';
import type { Attributes, BinaryOp, DType, Node, Op, UnaryOp } from '../../network/ir.js';
import { binaryOps, broadcastShape, unaryOps } from '../../network/ir.js';
import { Operations, type Reduction } from '../../network/operations.js';

/** A kernel call of tfjs-core: inputs and attributes under TensorFlow.js's names (kernel_names.d.ts). */
export interface KernelCall {
  readonly graph: GraphBuilder;
  /** The named inputs; kernels that take a list have `0`, `1`... */
  readonly inputs: Readonly<Record<string, Node>>;
  readonly attrs: Readonly<Record<string, unknown>>;
}

/** Adds a kernel call's nodes to the graph. It holds the kernel's shape rule, and its lowering if the kernel is composite. */
export type KernelRule = (call: KernelCall) => Node | Node[];

type Numbers = readonly number[];

const comparisons = new Set(['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'NotEqual', 'IsNan']);
const isBool = (op: string) => comparisons.has(op) || op.startsWith('Logical');

const unary =
  (op: Op, attributes: (attrs: KernelCall['attrs']) => Attributes = () => ({})): KernelRule =>
  ({ graph, inputs, attrs }) => {
    const x = inputs['x'] ?? inputs['logits']!;
    return graph.add({
      op,
      inputs: [x],
      attrs: attributes(attrs),
      shape: x.shape,
      dtype: isBool(op) ? 'bool' : x.dtype,
    });
  };

const addBinary = (graph: GraphBuilder, op: BinaryOp, a: Node, b: Node): Node => new Operations(graph).binary(op, a, b);

const binary =
  (op: BinaryOp): KernelRule =>
  ({ graph, inputs }) =>
    addBinary(graph, op, inputs['a']!, inputs['b']!);

export const addReshape = (graph: GraphBuilder, x: Node, shape: Numbers): Node =>
  new Operations(graph).reshape(x, shape);

/** Sorted axes, with negative ones counted from the end; null means all. */
export function axesOf(axis: unknown, rank: number): number[] {
  const list = axis === undefined || axis === null ? Array.from({ length: rank }, (_, i) => i) : [axis].flat();
  return (list as number[]).map((a) => (a < 0 ? a + rank : a)).sort((a, b) => a - b);
}

const addCast = (graph: GraphBuilder, x: Node, dtype: DType): Node => new Operations(graph).cast(x, dtype);

const reduction =
  (op: Reduction): KernelRule =>
  ({ graph, inputs, attrs }) => {
    // The mean of integers is not an integer.
    const x = op === 'Mean' ? addCast(graph, inputs['x']!, 'float32') : inputs['x']!;
    const axes = axesOf(attrs['axis'] ?? attrs['reductionIndices'], x.shape.length);
    return new Operations(graph).reduce(op, x, axes, attrs['keepDims'] === true);
  };

/** Whether any, or all, of some bools are true: the largest, or smallest, of them as numbers. */
const truth =
  (op: 'Max' | 'Min'): KernelRule =>
  ({ graph, inputs, attrs }) => {
    const x = inputs['x']!;
    const axes = axesOf(attrs['axis'], x.shape.length);
    const make = new Operations(graph);
    return make.binary('Greater', make.reduce(op, make.cast(x, 'float32'), axes, attrs['keepDims'] === true), 0);
  };

const argument =
  (op: Op): KernelRule =>
  ({ graph, inputs, attrs }) => {
    const x = inputs['x']!;
    const [axis] = axesOf(attrs['axis'], x.shape.length) as [number];
    return graph.add({ op, inputs: [x], attrs: { axis }, shape: x.shape.toSpliced(axis, 1), dtype: 'int32' });
  };

const matMul = ({ graph, inputs, attrs }: KernelCall): Node =>
  new Operations(graph).matMul(inputs['a']!, inputs['b']!, attrs['transposeA'] === true, attrs['transposeB'] === true);

/** Applies what a fused kernel does after the product: the bias, then the activation. */
export function addBiasAndActivation({ graph, inputs, attrs }: KernelCall, product: Node): Node {
  const { bias, preluActivationWeights: alpha } = inputs;
  const y = bias ? addBinary(graph, 'Add', product, bias) : product;
  const same = (op: Op, more: Attributes = {}) => graph.add({ op, inputs: [y], attrs: more, shape: y.shape });
  switch (attrs['activation'] ?? 'linear') {
    case 'linear':
      return y;
    case 'relu':
      return same('Relu');
    case 'relu6':
      return same('Relu6');
    case 'elu':
      return same('Elu');
    case 'sigmoid':
      return same('Sigmoid');
    case 'leakyrelu':
      return same('LeakyRelu', { alpha: attrs['leakyreluAlpha'] as number });
    case 'prelu':
      return graph.add({ op: 'Prelu', inputs: [y, alpha!], shape: y.shape });
    default:
      throw new RangeError(`the fused activation ${String(attrs['activation'])} has no rule`);
  }
}

const list = (inputs: KernelCall['inputs']): Node[] => Object.values(inputs);

/** Batch normalisation at inference: scale and shift of each channel (the last axis). */
const fusedBatchNorm: KernelRule = ({ graph, inputs, attrs }) => {
  const { x, mean, variance, scale, offset } = inputs as Record<string, Node>;
  const epsilon = graph.constant(attrs['varianceEpsilon'] as number, []);
  const shifted = addBinary(graph, 'Add', variance!, epsilon);
  let factor = graph.add({ op: 'Rsqrt', inputs: [shifted], shape: shifted.shape });
  if (scale) factor = addBinary(graph, 'Multiply', factor, scale);
  const y = addBinary(graph, 'Multiply', addBinary(graph, 'Sub', x!, mean!), factor);
  return offset ? addBinary(graph, 'Add', y, offset) : y;
};

const alphaOf = (attrs: KernelCall['attrs']) => ({ alpha: (attrs['alpha'] as number | undefined) ?? 0 });

export const kernelRules: Readonly<Record<string, KernelRule>> = {
  ...Object.fromEntries(unaryOps.map((op: UnaryOp) => [op, unary(op)])),
  ...Object.fromEntries(binaryOps.map((op: BinaryOp) => [op, binary(op)])),
  ...Object.fromEntries((['Sum', 'Mean', 'Max', 'Min', 'Prod'] as const).map((op) => [op, reduction(op)])),
  Any: truth('Max'),
  All: truth('Min'),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Identity: ({ inputs }) => inputs['x']!,
  LeakyRelu: unary('LeakyRelu', alphaOf),
  Step: unary('Step', alphaOf),
  ClipByValue: unary('ClipByValue', ({ clipValueMin, clipValueMax }) => ({
    min: clipValueMin as number,
    max: clipValueMax as number,
  })),
  Softmax: unary('Softmax'),
  LogSoftmax: unary('LogSoftmax'),
  Cast: ({ graph, inputs, attrs }) => addCast(graph, inputs['x']!, attrs['dtype'] as DType),
  ZerosLike: ({ graph, inputs }) => graph.constant(0, inputs['x']!.shape, inputs['x']!.dtype),
  OnesLike: ({ graph, inputs }) => graph.constant(1, inputs['x']!.shape, inputs['x']!.dtype),
  Fill: ({ graph, attrs }) =>
    graph.constant(attrs['value'] as number, attrs['shape'] as number[], (attrs['dtype'] as DType) ?? 'float32'),
  Range: ({ graph, attrs }) => {
    const { start, stop, step, dtype } = attrs as { start: number; stop: number; step: number; dtype: DType };
    const length = Math.max(0, Math.ceil((stop - start) / step));
    const values = Array.from({ length }, (_, i) => start + i * step);
    return graph.constant(dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values), [length], dtype);
  },
  AddN: ({ graph, inputs }) => list(inputs).reduce((sum, x) => addBinary(graph, 'Add', sum, x)),
  Prelu: ({ graph, inputs }) =>
    graph.add({
      op: 'Prelu',
      inputs: [inputs['x']!, inputs['alpha']!],
      shape: broadcastShape(inputs['x']!.shape, inputs['alpha']!.shape),
    }),
  Select: ({ graph, inputs }) => {
    const { condition, t, e } = inputs as Record<'condition' | 't' | 'e', Node>;
    // A condition of rank 1 selects rows.
    const rows = condition.shape.length === 1 && t.shape.length > 1;
    const by = rows ? addReshape(graph, condition, [condition.shape[0]!, ...t.shape.slice(1).map(() => 1)]) : condition;
    return graph.add({
      op: 'Select',
      inputs: [by, t, e],
      shape: broadcastShape(by.shape, broadcastShape(t.shape, e.shape)),
      dtype: t.dtype,
    });
  },
  BatchMatMul: matMul,
  _FusedMatMul: (call) => addBiasAndActivation(call, matMul(call)),
  FusedBatchNorm: fusedBatchNorm,
};
