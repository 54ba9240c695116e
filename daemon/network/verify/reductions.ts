import type { Node } from '../ir.js';
import { alike, demand, flag, hasType, inputType, inRange, kinds, list, number, real, type Rule } from './rule.js';

/** Rules of the operations along axes: reductions, scans and normalisations. */

function reducedShape(node: Node): number[] {
  const { shape } = node.inputs[0]!;
  const axes = list(node, 'axes');
  inRange(node, axes.at(-1));
  return flag(node, 'keepDims')
    ? shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
    : shape.filter((_, axis) => !axes.includes(axis));
}

const reduction = (types: Rule['types']): Rule => ({
  arity: 1,
  attrs: { axes: kinds.axes, keepDims: kinds.flag },
  types,
  shape: reducedShape,
});

const numbers = alike(['float32', 'int32']);

const argument: Rule = {
  arity: 1,
  attrs: { axis: kinds.axis },
  types: (node) => {
    inputType(node, 0, ['float32', 'int32']);
    hasType(node.dtype, ['int32']);
  },
  shape: (node) => {
    inRange(node, number(node, 'axis'));
    return node.inputs[0]!.shape.toSpliced(number(node, 'axis'), 1);
  },
};

const overLastAxis: Rule = {
  arity: 1,
  attrs: {},
  types: real,
  shape: ({ inputs }) => {
    demand(inputs[0]!.shape.length > 0, () => 'its input must have an axis to normalise over; it is a scalar');
    return inputs[0]!.shape;
  },
};

export const reductionRules = {
  Sum: reduction(numbers),
  Mean: reduction(real),
  Max: reduction(numbers),
  Min: reduction(numbers),
  Prod: reduction(numbers),
  ArgMax: argument,
  ArgMin: argument,
  Softmax: overLastAxis,
  LogSoftmax: overLastAxis,
  Cumsum: {
    arity: 1,
    attrs: { axis: kinds.axis, exclusive: kinds.flag, reverse: kinds.flag },
    types: numbers,
    shape: (node) => {
      inRange(node, number(node, 'axis'));
      return node.inputs[0]!.shape;
    },
  },
} satisfies Record<string, Rule>;
