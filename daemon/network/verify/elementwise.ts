import type { BinaryOp, UnaryOp } from '../ir.js';
import { sameShape } from '../ir.js';
import {
  alike,
  allTypes,
  broadcast,
  demand,
  hasType,
  inputShape,
  inputType,
  kinds,
  number,
  real,
  type Rule,
} from './rule.js';

/** Rules of the operations that compute each element from elements in the same place. */

const elementwise = (arity: number, types: Rule['types'], attrs: Rule['attrs'] = {}): Rule => ({
  arity,
  attrs,
  types,
  shape: broadcast,
});

const numbers = alike(['float32', 'int32']);

const ofReal = elementwise(1, real);
const ofNumber = elementwise(1, numbers);

const unary: Record<UnaryOp, Rule> = {
  Abs: ofNumber,
  Acos: ofReal,
  Acosh: ofReal,
  Asin: ofReal,
  Asinh: ofReal,
  Atan: ofReal,
  Atanh: ofReal,
  Ceil: ofReal,
  Cos: ofReal,
  Cosh: ofReal,
  Elu: ofReal,
  Erf: ofReal,
  Exp: ofReal,
  Expm1: ofReal,
  Floor: ofReal,
  IsNan: elementwise(1, alike(['float32'], 'bool')),
  Log: ofReal,
  Log1p: ofReal,
  LogicalNot: elementwise(1, alike(['bool'])),
  Neg: ofNumber,
  Reciprocal: ofReal,
  Relu: ofNumber,
  Relu6: ofReal,
  Round: ofReal,
  Rsqrt: ofReal,
  Selu: ofReal,
  Sigmoid: ofReal,
  Sign: ofNumber,
  Sin: ofReal,
  Sinh: ofReal,
  Softplus: ofReal,
  Sqrt: ofReal,
  Square: ofNumber,
  Tan: ofReal,
  Tanh: ofReal,
};

const ofReals = elementwise(2, real);
const ofNumbers = elementwise(2, numbers);
const order = elementwise(2, alike(['float32', 'int32'], 'bool'));
const equality = elementwise(2, alike(allTypes, 'bool'));
const logic = elementwise(2, alike(['bool']));

const binary: Record<BinaryOp, Rule> = {
  Add: ofNumbers,
  Atan2: ofReals,
  Equal: equality,
  FloorDiv: ofReals,
  Greater: order,
  GreaterEqual: order,
  Less: order,
  LessEqual: order,
  LogicalAnd: logic,
  LogicalOr: logic,
  LogicalXor: logic,
  Maximum: ofNumbers,
  Minimum: ofNumbers,
  Mod: ofReals,
  Multiply: ofNumbers,
  NotEqual: equality,
  Pow: ofNumbers,
  RealDiv: ofReals,
  SquaredDifference: ofNumbers,
  Sub: ofNumbers,
};

export const elementwiseRules = {
  ...unary,
  ...binary,
  LeakyRelu: elementwise(1, real, { alpha: kinds.number }),
  Step: elementwise(1, real, { alpha: kinds.number }),
  ClipByValue: {
    ...elementwise(1, real, { min: kinds.number, max: kinds.number }),
    shape: (node) => {
      const [min, max] = [number(node, 'min'), number(node, 'max')];
      demand(min <= max, () => `"min" must not be above "max"; they are ${min} and ${max}`);
      return broadcast(node);
    },
  },
  Cast: {
    ...elementwise(1, () => undefined),
    types: (node) => {
      inputType(node, 0, allTypes);
      hasType(node.dtype, allTypes);
    },
  },
  EluGrad: {
    ...elementwise(2, real),
    shape: (node) => {
      inputShape(node, 1, node.inputs[0]!.shape, 'as input 0');
      return node.inputs[0]!.shape;
    },
  },
  Prelu: {
    ...elementwise(2, real),
    shape: (node) => {
      const [x, alpha] = node.inputs.map((input) => input.shape);
      demand(
        sameShape(broadcast(node), x!),
        () => `alpha, of shape [${alpha}], must broadcast to the shape of x, [${x}]`,
      );
      return x!;
    },
  },
  Select: {
    ...elementwise(3, () => undefined),
    types: (node) => {
      inputType(node, 0, ['bool']);
      inputType(node, 1, allTypes);
      inputType(node, 2, [node.inputs[1]!.dtype]);
      hasType(node.dtype, [node.inputs[1]!.dtype]);
    },
  },
} satisfies Record<string, Rule>;
