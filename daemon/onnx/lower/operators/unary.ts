import { type Attributes, inverse, type Node, type UnaryOp } from '../../../network/ir.js';
import { ones } from '../../../network/products.js';
import { unaryFunctions } from '../../../network/scalarFunctions.js';
import { operand } from '../align.js';
import type { Call, Operator } from '../call.js';
import type { Lowering } from '../lowering.js';
import { scalarOf } from '../values/numberTensor.js';
import { dimsOf, isNatural } from '../values/value.js';
import { computed, elementwise, type ElementRule } from './elementwise.js';

/** Element-wise functions of one tensor: mathematics and activations. */

/** Builds formulas of a tensor and numbers. */
export class Formula {
  constructor(
    private readonly lowering: Lowering,
    private readonly shape: readonly number[],
  ) {}
  #of = (x: Node | number): Node => (typeof x === 'number' ? this.lowering.scalar(x) : x);
  #two = (op: 'Add' | 'Sub' | 'Multiply' | 'RealDiv' | 'Maximum' | 'Minimum' | 'Pow') => (a: Node | number, b: Node | number) => this.lowering.add(op, [this.#of(a), this.#of(b)], this.shape); // prettier-ignore
  readonly add = this.#two('Add');
  readonly sub = this.#two('Sub');
  readonly mul = this.#two('Multiply');
  readonly div = this.#two('RealDiv');
  readonly max = this.#two('Maximum');
  readonly min = this.#two('Minimum');
  readonly pow = this.#two('Pow');
  of = (op: UnaryOp, x: Node): Node => this.lowering.add(op, [x], this.shape);
  clip = (x: Node, min: number, max: number): Node => this.lowering.add('ClipByValue', [x], this.shape, { min, max });
  /** 1 where x > 0, else alpha. */
  step = (x: Node, alpha = 0): Node => this.lowering.add('Step', [x], this.shape, { alpha });
}

const plain =
  (op: UnaryOp, attrs: Attributes = {}): ElementRule =>
  (lowering, [x], shape) =>
    lowering.add(op, [x!], shape, attrs);

/** A function whose result is known at import for known inputs. */
const known = (op: UnaryOp): Operator => elementwise(plain(op), () => unaryFunctions[op]);

/** A formula of x, with the node's attributes. */
const formula = (compute: (f: Formula, x: Node, call: Call) => Node): Operator =>
  elementwise((lowering, [x], shape, call) => compute(new Formula(lowering, shape), x!, call));

/** max(0, min(1, alpha x + beta)). */
const hardSigmoid = (f: Formula, x: Node, alpha: number, beta: number): Node =>
  f.clip(f.add(f.mul(x, alpha), beta), 0, 1);

/** alpha * (exp(x / alpha) - 1) below 0, as an Elu of x / alpha. */
const elu = (f: Formula, x: Node, alpha: number): Node => {
  if (alpha === 1) return f.of('Elu', x);
  const below = f.mul(f.of('Expm1', f.min(x, 0)), alpha);
  return f.add(f.of('Relu', x), below);
};

/** gamma * (x > 0 ? x : alpha * (exp(x) - 1)). */
const selu = (f: Formula, x: Node, call: Call): Node => {
  const [alpha, gamma] = [call.float('alpha', 1.67326319217681884765625), call.float('gamma', 1.05070102214813232421875)]; // prettier-ignore
  const isUsual = Math.abs(alpha - 1.6732632) < 1e-6 && Math.abs(gamma - 1.050701) < 1e-6;
  return isUsual ? f.of('Selu', x) : f.mul(elu(f, x, alpha), gamma);
};

const celu = (f: Formula, x: Node, call: Call): Node => {
  const alpha = call.float('alpha', 1);
  if (!(alpha > 0)) throw call.refusal(`has ${alpha} as its "alpha", which is above 0`);
  if (alpha === 1) return f.of('Elu', x);
  return f.mul(f.of('Elu', f.div(x, alpha)), alpha);
};

/** x/2 (1 + erf(x / sqrt 2)), or its approximation by the hyperbolic tangent. */
const gelu = (f: Formula, x: Node, call: Call): Node => {
  if (call.text('approximate', 'none') !== 'tanh')
    return f.mul(f.mul(x, 0.5), f.add(f.of('Erf', f.mul(x, Math.SQRT1_2)), 1));
  const inner = f.mul(f.add(x, f.mul(f.mul(f.of('Square', x), x), 0.044715)), Math.sqrt(2 / Math.PI));
  return f.mul(f.mul(x, 0.5), f.add(f.of('Tanh', inner), 1));
};

/** Limits are attributes before opset 11, then inputs. */
const clip: Operator = (call) => {
  const at = (index: number, name: string, open: number): number => {
    const input = call.optional(index);
    if (!input) return call.float(name, open);
    return scalarOf(call.known(index, `its limit "${name}"`)) ?? open;
  };
  const [min, max] = [at(1, 'min', -Infinity), at(2, 'max', Infinity)];
  const x = call.lowering.known(call.input(0));
  if (x && call.input(0).kind === 'numbers') return { ...x, data: x.data.map((v) => Math.min(max, Math.max(min, v))) };
  return computed(call, [call.input(0)], (lowering, [node], shape) => {
    const { dtype } = node!;
    if (min === 0 && max === 6 && dtype === 'float32') return lowering.add('Relu6', [node!], shape);
    if (dtype === 'float32' && min <= max && (min > -3.4e38 || max < 3.4e38)) return limited(lowering, node!, min, max);
    const above = min > -(2 ** 31) ? lowering.add('Maximum', [node!, lowering.scalar(min, dtype)], shape) : node!;
    return max < 2 ** 31 ? lowering.add('Minimum', [above, lowering.scalar(max, dtype)], shape) : above;
  });
};

/** A single limit does not become an infinite second one, so that float32 can hold all limits. */
function limited(lowering: Lowering, x: Node, min: number, max: number): Node {
  if (max >= 3.4e38) return min === 0 ? lowering.add('Relu', [x], x.shape) : lowering.add('Maximum', [x, lowering.scalar(min)], x.shape); // prettier-ignore
  if (min <= -3.4e38) return lowering.add('Minimum', [x, lowering.scalar(max)], x.shape);
  return lowering.add('ClipByValue', [x], x.shape, { min, max });
}

/** A slope per channel may have the shape [C, 1, 1]; it broadcasts to x. */
const prelu: Operator = (call) => {
  const { lowering } = call;
  const [x, slope] = [call.input(0), call.input(1)];
  const rank = call.rank(0);
  const order = x.kind === 'node' ? inverse(x.axes) : undefined;
  const node = order ? lowering.inOrder(x, order) : lowering.natural(x);
  const dims = dimsOf(slope);
  // Before opset 7 a slope of one axis has one entry per channel.
  const perChannel = call.opset < 7 && dims.length === 1 && rank > 2;
  const alpha = perChannel
    ? lowering.transpose(lowering.reshape(lowering.natural(slope), [1, dims[0]!, ...ones(rank - 2)]), order ?? [])
    : operand(lowering, slope, order ?? []);
  const whole = order && !isNatural(order) ? order : undefined;
  const result = lowering.add('Prelu', [node, alpha], node.shape);
  return lowering.value(result, whole, 'weighted');
};

export const unaryOperators: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries(
    (['Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Cos', 'Cosh', 'Sin', 'Sinh', 'Tan', 'Tanh', 'Erf', 'Reciprocal'] as const) // prettier-ignore
      .map((op) => [op, elementwise(plain(op))]),
  ),
  ...Object.fromEntries(
    (['Abs', 'Ceil', 'Exp', 'Floor', 'Log', 'Neg', 'Relu', 'Round', 'Sigmoid', 'Sign', 'Sqrt'] as const).map((op) => [op, known(op)]),
  ), // prettier-ignore
  Softplus: elementwise(plain('Softplus')),
  IsNaN: elementwise((lowering, [x], shape) => lowering.add('IsNan', [x!], shape, {}, 'bool'), () => (x) => Number(Number.isNaN(x)), () => 'bool'), // prettier-ignore
  Clip: clip,
  PRelu: prelu,
  LeakyRelu: elementwise((lowering, [x], shape, call) => lowering.add('LeakyRelu', [x!], shape, { alpha: call.float('alpha', 0.01) })), // prettier-ignore
  Elu: formula((f, x, call) => elu(f, x, call.float('alpha', 1))),
  Celu: formula(celu),
  Selu: formula(selu),
  Gelu: formula(gelu),
  // x above the threshold, else 0.
  ThresholdedRelu: formula((f, x, call) => f.mul(x, f.step(f.sub(x, call.float('alpha', 1))))),
  HardSigmoid: formula((f, x, call) => hardSigmoid(f, x, call.float('alpha', 0.2), call.float('beta', 0.5))),
  HardSwish: formula((f, x) => f.mul(x, hardSigmoid(f, x, 1 / 6, 0.5))),
  Softsign: formula((f, x) => f.div(x, f.add(f.of('Abs', x), 1))),
  Mish: formula((f, x) => f.mul(x, f.of('Tanh', f.of('Softplus', x)))),
  // 0 if x lies within lambda of 0, else x moved towards 0 by the bias.
  Shrink: formula((f, x, call) => {
    const [bias, lambda] = [call.float('bias', 0), call.float('lambd', 0.5)];
    if (!(lambda >= 0)) throw call.refusal(`has ${lambda} as its "lambd", which is at least 0`);
    const above = f.mul(f.sub(x, bias), f.step(f.sub(x, lambda)));
    return f.add(above, f.mul(f.add(x, bias), f.step(f.sub(f.of('Neg', x), lambda))));
  }),
};
