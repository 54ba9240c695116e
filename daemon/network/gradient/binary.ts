import type { BinaryOp, Node } from '../ir.js';
import { splatOf } from '../products.js';
import { type Call, type GradientRule, none } from './rule.js';

/**
 * Gradients of the element-wise operations of two or three tensors. g stands for dy. Gradients are summed along broadcast axes,
 * as early as the formula allows, so that fewer elements are computed.
 */

/** Builds the rule of an operation of a and b from its two formulas, summed to their shapes. */
const pair =
  (
    ofA: (call: Call & { readonly a: Node; readonly b: Node }) => Node,
    ofB: (call: Call & { readonly a: Node; readonly b: Node }) => Node,
  ): GradientRule =>
  (call) => {
    const [a, b] = call.inputs as [Node, Node];
    const to = (formula: typeof ofA, { shape }: Node) => call.make.sumTo(formula({ ...call, a, b }), shape);
    return [() => to(ofA, a), () => to(ofB, b)];
  };

/** g where the condition holds and 0 elsewhere, and the reverse. */
const where = ({ make, dy }: Call, condition: Node): Node => make.select(condition, dy, make.fill(0, dy.shape));
const unless = ({ make, dy }: Call, condition: Node): Node => make.select(condition, make.fill(0, dy.shape), dy);

/** Selects the larger, or smaller, of two. If they are equal, the first takes the gradient, as in TensorFlow.js; in PyTorch each takes half. */
const extreme = (firstWins: 'GreaterEqual' | 'LessEqual'): GradientRule =>
  pair(
    (call) => where(call, call.make.binary(firstWins, call.a, call.b)),
    (call) => unless(call, call.make.binary(firstWins, call.a, call.b)),
  );

// a^b: da = g b a^(b - 1), and 0 where b is 0; db = g y log a where a > 0 only (TensorFlow.js; PyTorch has NaN below 0).
const pow = pair(
  ({ make, a, b, dy }) => {
    const exponent = splatOf(b);
    const slope = make.mul(b, make.binary('Pow', a, exponent === undefined ? make.sub(b, 1) : exponent - 1));
    if (exponent !== undefined) return make.mul(dy, slope);
    return make.mul(dy, make.select(make.binary('Equal', b, 0), make.fill(0, slope.shape), slope));
  },
  ({ make, a, y, dy }) => {
    const log = make.unary('Log', make.select(make.binary('Greater', a, 0), a, make.fill(1, a.shape)));
    return make.mul(dy, make.mul(y, log));
  },
);

export const binaryRules = {
  // a + b: da = db = g
  Add: pair(({ dy }) => dy, ({ dy }) => dy), // prettier-ignore
  // a - b: da = g, db = -g
  Sub: ({ make, inputs, dy }) => [
    () => make.sumTo(dy, inputs[0]!.shape),
    () => make.neg(make.sumTo(dy, inputs[1]!.shape)),
  ],
  // a b: da = g b, db = g a
  Multiply: pair(({ make, b, dy }) => make.mul(dy, b), ({ make, a, dy }) => make.mul(dy, a)), // prettier-ignore
  // a / b: da = g / b, db = -g a / b^2 = -(g y) / b
  RealDiv: ({ make, inputs, y, dy }) => {
    const [a, b] = inputs as [Node, Node];
    return [
      () => make.sumTo(make.div(dy, b), a.shape),
      () => make.neg(make.div(make.sumTo(make.mul(dy, y), b.shape), b)),
    ];
  },
  // (a - b)^2: da = 2 g (a - b), db = -da
  SquaredDifference: ({ make, inputs, dy }) => {
    const [a, b] = inputs as [Node, Node];
    const each = () => make.mul(dy, make.mul(make.sub(a, b), 2));
    return [() => make.sumTo(each(), a.shape), () => make.neg(make.sumTo(each(), b.shape))];
  },
  Maximum: extreme('GreaterEqual'),
  Minimum: extreme('LessEqual'),
  Pow: pow,
  // atan2(a, b): da = g b / (a^2 + b^2), db = -g a / (a^2 + b^2)
  Atan2: pair(
    ({ make, a, b, dy }) => make.mul(dy, make.div(b, make.add(make.unary('Square', a), make.unary('Square', b)))),
    ({ make, a, b, dy }) => make.neg(make.mul(dy, make.div(a, make.add(make.unary('Square', a), make.unary('Square', b))))), // prettier-ignore
  ),
  // a - floor(a / b) b: da = g, db = -g floor(a / b)
  Mod: pair(({ dy }) => dy, ({ make, a, b, dy }) => make.neg(make.mul(dy, make.binary('FloorDiv', a, b)))), // prettier-ignore
  FloorDiv: none,
  Equal: none,
  NotEqual: none,
  Greater: none,
  GreaterEqual: none,
  Less: none,
  LessEqual: none,
  LogicalAnd: none,
  LogicalOr: none,
  LogicalXor: none,
} satisfies Record<BinaryOp, GradientRule>;

export const choiceRules = {
  // condition ? t : e: each takes g where it was selected
  Select: (call) => {
    const [condition, yes, no] = call.inputs as [Node, Node, Node];
    return [
      null,
      () => call.make.sumTo(where(call, condition), yes.shape),
      () => call.make.sumTo(unless(call, condition), no.shape),
    ];
  },
  // x >= 0 ? x : alpha x: dx = x > 0 ? g : alpha g (at 0 as in TensorFlow.js and PyTorch), dalpha = g min(x, 0)
  Prelu: pair(
    ({ make, a, b, dy }) => make.select(make.binary('Greater', a, 0), dy, make.mul(dy, b)),
    ({ make, a, dy }) => make.mul(dy, make.binary('Minimum', a, 0)),
  ),
  // dy (y >= 0 ? 1 : y + 1). Here dy is the operation's own first input, in which the operation is linear.
  // d dy = g (y >= 0 ? 1 : y + 1), d y = y < 0 ? g dy : 0
  EluGrad: ({ make, inputs, dy }) => {
    const [own, y] = inputs as [Node, Node];
    return [
      () => make.graph.add({ op: 'EluGrad', inputs: [dy, y], shape: dy.shape }),
      () => make.select(make.binary('Less', y, 0), make.mul(dy, own), make.fill(0, dy.shape)),
    ];
  },
} satisfies Record<string, GradientRule>;
