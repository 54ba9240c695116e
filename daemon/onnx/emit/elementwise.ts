import type { BinaryOp, Node, UnaryOp } from '../../network/ir.js';
import { commonLayout, type EmitRule, type Emitter, operand, unsupported } from './emitter.js';
import { onnxType } from './protobuf.js';

/** Rules of the element-wise operations: they run in whatever layout their operands lie in. */

type Compute = (emitter: Emitter, operands: string[], node: Node) => string;

const elementwise =
  (compute: Compute): EmitRule =>
  (emitter, node) => {
    const layout = commonLayout(emitter, node);
    const operands = node.inputs.map((input) => operand(emitter, input, layout));
    emitter.define(node, compute(emitter, operands, node), layout);
  };

const plain =
  (op: string): Compute =>
  (emitter, operands) =>
    emitter.op(op, operands);

const number = (node: Node, name: string): number => node.attrs[name] as number;

const unary: Record<UnaryOp, Compute> = {
  ...(Object.fromEntries(
    ['Abs', 'Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Ceil', 'Cos', 'Cosh', 'Elu', 'Erf', 'Exp', 'Floor', 'Log', 'Neg',
      'Reciprocal', 'Relu', 'Round', 'Sign', 'Sin', 'Sinh', 'Softplus', 'Sqrt', 'Tan', 'Tanh'].map((op) => [op, plain(op)]),
  ) as Record<UnaryOp, Compute>), // prettier-ignore
  Expm1: (e, [x]) => e.op('Sub', [e.op('Exp', [x!]), e.scalar(1)]),
  IsNan: plain('IsNaN'),
  Log1p: (e, [x]) => e.op('Log', [e.op('Add', [x!, e.scalar(1)])]),
  LogicalNot: plain('Not'),
  Relu6: (e, [x]) => e.op('Clip', [x!, e.scalar(0), e.scalar(6)]),
  // A Selu is a scaled Elu: scale * (x > 0 ? x : alpha * (exp(x) - 1)).
  Selu: (e, [x]) =>
    e.target.selu
      ? e.op('Selu', [x!])
      : e.op('Mul', [e.op('Elu', [x!], { alpha: { float: 1.6732632423543772 } }), e.scalar(1.0507009873554805)]),
  Rsqrt: (e, [x]) => e.op('Reciprocal', [e.op('Sqrt', [x!])]),
  Sigmoid: (e, [x], node) =>
    e.target.smallSigmoid || isGate(e, node)
      ? e.op('Sigmoid', [x!])
      : e.op('Reciprocal', [e.op('Add', [e.op('Exp', [e.op('Neg', [x!])]), e.scalar(1)])]),
  Square: (e, [x]) => e.op('Mul', [x!, x!]),
};

/** Whether only products read it (and 1 - y, in a gradient). For these the absolute error counts, not the relative one. */
const isGate = (e: Emitter, node: Node): boolean =>
  e.readers(node, 'Multiply') + e.readers(node, 'Sub') === e.uses(node);

/** x > 0 as a condition. */
const positive = (e: Emitter, x: string) => e.op('Greater', [x, e.scalar(0)]);

/** A rectifier's gradient, dy where x > 0, is one selection instead of a step and a product. */
function multiply(e: Emitter, [a, b]: string[], node: Node): string {
  const layout = commonLayout(e, node);
  const [left, right] = node.inputs as [Node, Node];
  for (const [step, other] of [
    [left, b!],
    [right, a!],
  ] as const)
    if (step.op === 'Step' && step.attrs['alpha'] === 0 && step.shape.length === node.shape.length)
      return e.op('Where', [positive(e, operand(e, step.inputs[0]!, layout)), other, e.scalar(0)]);
  return e.op('Mul', [a!, b!]);
}

const floorDiv: Compute = (e, operands) => e.op('Floor', [e.op('Div', operands)]);

const binary: Record<BinaryOp, Compute> = {
  Add: plain('Add'),
  Atan2: (_, __, node) => {
    throw unsupported(node, 'has no ONNX operator');
  },
  Equal: plain('Equal'),
  FloorDiv: floorDiv,
  Greater: plain('Greater'),
  GreaterEqual: plain('GreaterOrEqual'),
  Less: plain('Less'),
  LessEqual: plain('LessOrEqual'),
  LogicalAnd: plain('And'),
  LogicalOr: plain('Or'),
  LogicalXor: plain('Xor'),
  Maximum: plain('Max'),
  Minimum: plain('Min'),
  Mod: (e, [a, b], node) => e.op('Sub', [a!, e.op('Mul', [floorDiv(e, [a!, b!], node), b!])]),
  Multiply: multiply,
  NotEqual: (e, operands) => e.op('Not', [e.op('Equal', operands)]),
  Pow: plain('Pow'),
  RealDiv: plain('Div'),
  SquaredDifference: (e, operands) => {
    const difference = e.op('Sub', operands);
    return e.op('Mul', [difference, difference]);
  },
  Sub: plain('Sub'),
};

const more: Record<string, Compute> = {
  LeakyRelu: (e, [x], node) => e.op('LeakyRelu', [x!], { alpha: { float: number(node, 'alpha') } }),
  ClipByValue: (e, [x], node) => e.op('Clip', [x!, e.scalar(number(node, 'min')), e.scalar(number(node, 'max'))]),
  Step: (e, [x], node) =>
    node.attrs['alpha'] === 0
      ? e.op('Cast', [positive(e, x!)], { to: onnxType.float32 })
      : e.op('Where', [positive(e, x!), e.scalar(1), e.scalar(number(node, 'alpha'))]),
  Cast: (e, [x], node) => e.op('Cast', [x!], { to: onnxType[node.dtype] }),
  EluGrad: (e, [dy, y]) =>
    e.op('Where', [e.op('Less', [y!, e.scalar(0)]), e.op('Mul', [dy!, e.op('Add', [y!, e.scalar(1)])]), dy!]),
  Select: plain('Where'),
  Prelu: plain('PRelu'),
};

export const elementwiseRules: Readonly<Record<string, EmitRule>> = Object.fromEntries(
  Object.entries({ ...unary, ...binary, ...more }).map(([op, compute]) => [op, elementwise(compute)]),
);
