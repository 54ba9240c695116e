/** The element-wise operations as functions of numbers, in float64. */
import type { BinaryOp, UnaryOp } from './ir.js';

/** A bool as tensors hold it. */
export const truth = (value: boolean): number => (value ? 1 : 0);

/** Rounds half to even, as IEEE 754 does. */
function round(x: number): number {
  const nearest = Math.round(x);
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

/** The Taylor series of erf (Abramowitz & Stegun 7.1.6), whose terms have one sign: relative error below 1e-14. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  let [term, sum] = [a, a];
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * a * a) / (2 * n + 1);
    sum += term;
  }
  return (Math.sign(x) * 2 * sum * Math.exp(-a * a)) / Math.sqrt(Math.PI);
}

const SELU = { alpha: 1.6732632423543772, scale: 1.0507009873554805 };

export const unaryFunctions: Readonly<Record<UnaryOp, (x: number) => number>> = {
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
  Relu: (x) => Math.max(x, 0),
  Relu6: (x) => Math.min(Math.max(x, 0), 6),
  Round: round,
  Rsqrt: (x) => 1 / Math.sqrt(x),
  Selu: (x) => SELU.scale * (x >= 0 ? x : SELU.alpha * Math.expm1(x)),
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

export const binaryFunctions: Readonly<Record<BinaryOp, (a: number, b: number) => number>> = {
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
