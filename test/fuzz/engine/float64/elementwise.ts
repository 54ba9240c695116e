/** Element-wise operations in float64, each by its definition: apart from the product's table (network/scalarFunctions.ts), which they judge. */
import type { BinaryOp, Node, UnaryOp } from '../../../../daemon/network/ir.js';
import { broadcastStrides, type Compute, number, sizeOf, type Values, walk } from './tensors.js';

/** Half to even, as IEEE 754 rounds. */
function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** erf by its Taylor series near 0 and a continued fraction of erfc further out (Abramowitz & Stegun 7.1.5, 7.1.14). */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 2.5) {
    let [term, sum] = [a, a];
    for (let n = 1; n < 60; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

const selu = { alpha: 1.6732632423543772, scale: 1.0507009873554805 };
const truth = (value: boolean): number => (value ? 1 : 0);

const unary: Record<UnaryOp, (x: number) => number> = {
  Abs: Math.abs,
  Acos: Math.acos,
  Acosh: Math.acosh,
  Asin: Math.asin,
  Asinh: Math.asinh,
  Atan: Math.atan,
  Atanh: Math.atanh,
  Ceil: Math.ceil,
  Cos: Math.cos,
  Cosh: Math.cosh,
  Elu: (x) => (x >= 0 ? x : Math.expm1(x)),
  Erf: erf,
  Exp: Math.exp,
  Expm1: Math.expm1,
  Floor: Math.floor,
  IsNan: (x) => truth(Number.isNaN(x)),
  Log: Math.log,
  Log1p: Math.log1p,
  LogicalNot: (x) => truth(x === 0),
  Neg: (x) => -x,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => (x > 0 ? x : x === x ? 0 : x),
  Relu6: (x) => Math.min(Math.max(x, 0), 6),
  Round: roundHalfEven,
  Rsqrt: (x) => 1 / Math.sqrt(x),
  Selu: (x) => selu.scale * (x >= 0 ? x : selu.alpha * Math.expm1(x)),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Sign: Math.sign,
  Sin: Math.sin,
  Sinh: Math.sinh,
  Softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  Sqrt: Math.sqrt,
  Square: (x) => x * x,
  Tan: Math.tan,
  Tanh: Math.tanh,
};

const binary: Record<BinaryOp, (a: number, b: number) => number> = {
  Add: (a, b) => a + b,
  Atan2: Math.atan2,
  Equal: (a, b) => truth(a === b),
  FloorDiv: (a, b) => Math.floor(a / b),
  Greater: (a, b) => truth(a > b),
  GreaterEqual: (a, b) => truth(a >= b),
  Less: (a, b) => truth(a < b),
  LessEqual: (a, b) => truth(a <= b),
  LogicalAnd: (a, b) => truth(a !== 0 && b !== 0),
  LogicalOr: (a, b) => truth(a !== 0 || b !== 0),
  LogicalXor: (a, b) => truth((a !== 0) !== (b !== 0)),
  Maximum: Math.max,
  Minimum: Math.min,
  Mod: (a, b) => a - Math.floor(a / b) * b,
  Multiply: (a, b) => a * b,
  NotEqual: (a, b) => truth(a !== b),
  Pow: Math.pow,
  RealDiv: (a, b) => a / b,
  SquaredDifference: (a, b) => (a - b) ** 2,
  Sub: (a, b) => a - b,
};

const map =
  (f: (x: number) => number): Compute =>
  (_, [x]) =>
    x!.map(f);

const sameSize = (node: Node): boolean => node.inputs.every((input) => sizeOf(input.shape) === sizeOf(node.shape));

const zip =
  (f: (a: number, b: number) => number): Compute =>
  (node, [a, b]) => {
    const out = new Float64Array(sizeOf(node.shape));
    if (sameSize(node)) {
      for (let i = 0; i < out.length; i++) out[i] = f(a![i]!, b![i]!);
      return out;
    }
    let i = 0;
    const strides = node.inputs.map(({ shape }) => broadcastStrides(shape, node.shape));
    walk(node.shape, strides, ([p, q]) => (out[i++] = f(a![p!]!, b![q!]!)));
    return out;
  };

const select: Compute = (node, [condition, yes, no]) => {
  const out = new Float64Array(sizeOf(node.shape));
  let i = 0;
  const strides = node.inputs.map(({ shape }) => broadcastStrides(shape, node.shape));
  walk(node.shape, strides, ([c, t, e]) => (out[i++] = condition![c!]! !== 0 ? yes![t!]! : no![e!]!));
  return out;
};

const byDtype: Record<Node['dtype'], (x: number) => number> = {
  float32: (x) => x,
  int32: Math.trunc,
  bool: (x) => truth(x !== 0),
};

const withAlpha =
  (f: (x: number, alpha: number) => number): Compute =>
  (node, [x]) =>
    x!.map((v) => f(v, number(node, 'alpha')));

export const elementwise: Readonly<Record<string, Compute>> = {
  ...Object.fromEntries(Object.entries(unary).map(([op, f]) => [op, map(f)])),
  ...Object.fromEntries(Object.entries(binary).map(([op, f]) => [op, zip(f)])),
  LeakyRelu: withAlpha((x, alpha) => (x > 0 ? x : alpha * x)),
  Step: withAlpha((x, alpha) => (x > 0 ? 1 : alpha)),
  ClipByValue: (node, [x]) => x!.map((v) => Math.min(Math.max(v, number(node, 'min')), number(node, 'max'))),
  Cast: (node, [x]): Values => x!.map(byDtype[node.dtype]),
  EluGrad: zip((dy, y) => dy * (y >= 0 ? 1 : y + 1)),
  Prelu: zip((x, alpha) => (x >= 0 ? x : alpha * x)),
  Select: select,
};
