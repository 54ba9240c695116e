import type { UnaryOp } from '../ir.js';
import { type GradientRule, none, number, single } from './rule.js';

/**
 * Gradients of the element-wise operations of one tensor. g stands for dy. Where a derivative jumps, the rule has TensorFlow.js's
 * value (4.22, dist/gradients), because layers-models were trained with it. A comment gives PyTorch's value where it
 * differs.
 */

const { PI } = Math;
const selu = { scale: 1.0507009873554805, alpha: 1.6732632423543772 };

const smooth = {
  // d acos x = -1 / sqrt(1 - x^2)
  Acos: single(({ make, x, dy }) => make.neg(make.div(dy, make.unary('Sqrt', make.sub(make.scalar(1), make.unary('Square', x)))))), // prettier-ignore
  // d acosh x = 1 / sqrt(x^2 - 1)
  Acosh: single(({ make, x, dy }) => make.div(dy, make.unary('Sqrt', make.sub(make.unary('Square', x), 1)))),
  // d asin x = 1 / sqrt(1 - x^2)
  Asin: single(({ make, x, dy }) => make.div(dy, make.unary('Sqrt', make.sub(make.scalar(1), make.unary('Square', x))))), // prettier-ignore
  // d asinh x = 1 / sqrt(x^2 + 1)
  Asinh: single(({ make, x, dy }) => make.div(dy, make.unary('Sqrt', make.add(make.unary('Square', x), 1)))),
  // d atan x = 1 / (x^2 + 1)
  Atan: single(({ make, x, dy }) => make.div(dy, make.add(make.unary('Square', x), 1))),
  // d atanh x = 1 / (1 - x^2)
  Atanh: single(({ make, x, dy }) => make.div(dy, make.sub(make.scalar(1), make.unary('Square', x)))),
  // d cos x = -sin x
  Cos: single(({ make, x, dy }) => make.neg(make.mul(dy, make.unary('Sin', x)))),
  // d cosh x = sinh x
  Cosh: single(({ make, x, dy }) => make.mul(dy, make.unary('Sinh', x))),
  // d erf x = 2 / sqrt(pi) exp(-x^2)
  Erf: single(({ make, x, dy }) => make.mul(dy, make.mul(make.unary('Exp', make.neg(make.unary('Square', x))), 2 / Math.sqrt(PI)))), // prettier-ignore
  // d exp x = y
  Exp: single(({ make, y, dy }) => make.mul(dy, y)),
  // d expm1 x = exp x: y + 1 would lose the digits of a small exp x
  Expm1: single(({ make, x, dy }) => make.mul(dy, make.unary('Exp', x))),
  // d log x = 1 / x
  Log: single(({ make, x, dy }) => make.div(dy, x)),
  // d log(1 + x) = 1 / (1 + x)
  Log1p: single(({ make, x, dy }) => make.div(dy, make.add(x, 1))),
  Neg: single(({ make, dy }) => make.neg(dy)),
  // d 1/x = -y^2
  Reciprocal: single(({ make, y, dy }) => make.neg(make.mul(dy, make.unary('Square', y)))),
  // d x^(-1/2) = -1/2 y^3
  Rsqrt: single(({ make, y, dy }) => make.mul(make.mul(dy, make.mul(make.unary('Square', y), y)), -0.5)),
  // d sigmoid x = y (1 - y)
  Sigmoid: single(({ make, y, dy }) => make.mul(dy, make.mul(y, make.sub(make.scalar(1), y)))),
  // d sin x = cos x
  Sin: single(({ make, x, dy }) => make.mul(dy, make.unary('Cos', x))),
  // d sinh x = cosh x
  Sinh: single(({ make, x, dy }) => make.mul(dy, make.unary('Cosh', x))),
  // d log(1 + exp x) = sigmoid x
  Softplus: single(({ make, x, dy }) => make.mul(dy, make.unary('Sigmoid', x))),
  // d sqrt x = 1 / (2 y): infinite at 0
  Sqrt: single(({ make, y, dy }) => make.div(dy, make.mul(y, 2))),
  // d x^2 = 2 x
  Square: single(({ make, x, dy }) => make.mul(dy, make.mul(x, 2))),
  // d tan x = 1 + y^2
  Tan: single(({ make, y, dy }) => make.mul(dy, make.add(make.unary('Square', y), 1))),
  // d tanh x = 1 - y^2
  Tanh: single(({ make, y, dy }) => make.mul(make.sub(make.scalar(1), make.unary('Square', y)), dy)),
} satisfies Partial<Record<UnaryOp, GradientRule>>;

const withCorners = {
  // d |x| = x > 0 ? 1 : -1. At 0 PyTorch has 0.
  Abs: single(({ make, x, dy }) => make.mul(dy, make.step(x, -1))),
  // d elu x = x >= 0 ? 1 : y + 1. At 0 both sides are 1.
  Elu: single(({ make, y, dy }) => make.graph.add({ op: 'EluGrad', inputs: [dy, y], shape: y.shape })),
  // d relu x = x > 0 ? 1 : 0, in PyTorch too
  Relu: single(({ make, x, dy }) => make.mul(dy, make.step(x))),
  // d relu6 x = 0 < x <= 6 ? 1 : 0. At 6 PyTorch has 0.
  Relu6: single(({ make, x, dy }) => make.mul(make.select(make.binary('LessEqual', x, 6), dy, make.fill(0, dy.shape)), make.step(x))), // prettier-ignore
  // d selu x = x > 0 ? scale : scale alpha exp x, which is y + scale alpha; in PyTorch too
  Selu: single(({ make, x, y, dy }) => {
    const below = make.add(y, selu.scale * selu.alpha);
    return make.mul(dy, make.select(make.binary('Greater', x, 0), make.fill(selu.scale, y.shape), below));
  }),
} satisfies Partial<Record<UnaryOp, GradientRule>>;

const flat = { Ceil: none, Floor: none, IsNan: none, LogicalNot: none, Round: none, Sign: none };

export const unaryRules = {
  ...({ ...smooth, ...withCorners, ...flat } satisfies Record<UnaryOp, GradientRule>),
  // d = x > 0 ? 1 : alpha, in PyTorch too
  LeakyRelu: single(({ make, x, y, dy }) => make.mul(dy, make.step(x, number(y, 'alpha')))),
  // d = min <= x <= max ? 1 : 0: where x equals its clip; in PyTorch too
  ClipByValue: single(({ make, x, y, dy }) => make.select(make.binary('Equal', x, y), dy, make.fill(0, dy.shape))),
  Step: none,
  // Casts to float32 from integers or bools, and the reverse, have no derivative.
  Cast: none,
} satisfies Record<string, GradientRule>;
