/** Adds element-wise operations to random graphs. */
import type { BinaryOp, Node, Op, UnaryOp } from '../../../daemon/network/ir.js';
import type { Growth } from './growth.js';

/** Adds one operation with random operands and attributes; the result is float32. */
export type Production = (growth: Growth) => Node;

const of = (op: Exclude<UnaryOp, 'IsNan'>, operand: (g: Growth) => Node = (g) => g.any()): Production => (g) => g.make.unary(op, operand(g)); // prettier-ignore
const positive = (g: Growth) => g.positive();
const bounded = (g: Growth) => g.bounded();
/** A truth as a number: only its operands have gradients, by what it is multiplied with. */
const asFactor = (g: Growth, truth: Node): Node => g.make.mul(g.make.cast(truth, 'float32'), g.ofShape(truth.shape));

const unary: Record<UnaryOp, Production> = {
  Abs: of('Abs'),
  Acos: of('Acos', bounded),
  Acosh: of('Acosh', (g) => g.make.add(g.positive(), 1)),
  Asin: of('Asin', bounded),
  Asinh: of('Asinh'),
  Atan: of('Atan'),
  Atanh: of('Atanh', bounded),
  Ceil: of('Ceil'),
  Cos: of('Cos'),
  Cosh: of('Cosh'),
  Elu: of('Elu'),
  Erf: of('Erf'),
  Exp: of('Exp'),
  Expm1: of('Expm1'),
  Floor: of('Floor'),
  IsNan: (g) => {
    const x = g.any();
    return asFactor(g, g.graph.add({ op: 'IsNan', inputs: [x], shape: x.shape, dtype: 'bool' }));
  },
  Log: of('Log', positive),
  Log1p: of('Log1p', positive),
  LogicalNot: (g) => asFactor(g, g.make.unary('LogicalNot', g.truth(g.any().shape))),
  Neg: of('Neg'),
  Reciprocal: of('Reciprocal', positive),
  Relu: of('Relu'),
  Relu6: of('Relu6', (g) => g.make.mul(g.any(), 4)),
  Round: of('Round'),
  Rsqrt: of('Rsqrt', positive),
  Selu: of('Selu'),
  Sigmoid: of('Sigmoid'),
  Sign: of('Sign'),
  Sin: of('Sin'),
  Sinh: of('Sinh'),
  Softplus: of('Softplus'),
  Sqrt: of('Sqrt', positive),
  Square: of('Square'),
  Tan: of('Tan', bounded),
  Tanh: of('Tanh'),
};

type Domain = (x: Node, g: Growth) => Node;
const whole: Domain = (x) => x;
const above: Domain = (x, g) => g.positive(x);

function pair(op: BinaryOp, ofA = whole, ofB = whole): Production {
  return (g) => {
    const a = g.any();
    // Often an operand of itself: gradients meet.
    const b = g.chance(0.15) ? a : g.chance(0.2) ? g.make.scalar(g.real(0.5, 2.5)) : g.ofShape(g.broadcastOf(a.shape));
    const turned = g.chance(0.3);
    return g.make.binary(op, ofA(turned ? b : a, g), ofB(turned ? a : b, g));
  };
}

const compared = (op: BinaryOp): Production => (g) => asFactor(g, pair(op)(g)); // prettier-ignore

const logic = (op: BinaryOp): Production => (g) => {
  const { shape } = g.any();
  return asFactor(g, g.make.binary(op, g.truth(shape), g.truth(g.broadcastOf(shape).slice(-shape.length || 1))));
}; // prettier-ignore

const binary: Record<BinaryOp, Production> = {
  Add: pair('Add'),
  Atan2: pair('Atan2', whole, above),
  Equal: compared('Equal'),
  FloorDiv: pair('FloorDiv', whole, above),
  Greater: compared('Greater'),
  GreaterEqual: compared('GreaterEqual'),
  Less: compared('Less'),
  LessEqual: compared('LessEqual'),
  LogicalAnd: logic('LogicalAnd'),
  LogicalOr: logic('LogicalOr'),
  LogicalXor: logic('LogicalXor'),
  Maximum: pair('Maximum'),
  Minimum: pair('Minimum'),
  Mod: pair('Mod', whole, above),
  Multiply: pair('Multiply'),
  NotEqual: compared('NotEqual'),
  Pow: (g) => (g.chance(0.5) ? pair('Pow', above)(g) : g.make.binary('Pow', g.any(), g.one([1, 2, 3]))),
  RealDiv: pair('RealDiv', whole, above),
  SquaredDifference: pair('SquaredDifference'),
  Sub: pair('Sub'),
};

export const elementwise = {
  ...unary,
  ...binary,
  LeakyRelu: (g) => {
    const x = g.any();
    return g.graph.add({ op: 'LeakyRelu', inputs: [x], attrs: { alpha: g.real(-0.5, 0.5) }, shape: x.shape });
  },
  ClipByValue: (g) => {
    const x = g.any();
    const min = g.real(-1.5, 0);
    return g.graph.add({ op: 'ClipByValue', inputs: [x], attrs: { min, max: min + g.real(0.1, 2) }, shape: x.shape });
  },
  Step: (g) => g.make.step(g.any(), g.real(-1, 1)),
  Cast: (g) => g.make.cast(g.make.cast(g.any(), g.one(['int32', 'bool'])), 'float32'),
  EluGrad: (g) => {
    const y = g.make.unary('Elu', g.any());
    return g.graph.add({ op: 'EluGrad', inputs: [g.ofShape(y.shape), y], shape: y.shape });
  },
  Select: (g) => {
    const yes = g.any();
    const no = g.ofShape(g.broadcastOf(yes.shape));
    const condition = g.truth(g.chance(0.5) ? yes.shape : yes.shape.map((n) => (g.chance(0.5) ? 1 : n)));
    return g.make.select(condition, yes, no);
  },
  Prelu: (g) => {
    const x = g.any();
    const alpha = g.ofShape(x.shape.slice(g.below(x.shape.length + 1)).map((n) => (g.chance(0.3) ? 1 : n)));
    return g.graph.add({ op: 'Prelu', inputs: [x, alpha], shape: x.shape });
  },
} satisfies Partial<Record<Op, Production>>;
