import {
  allTypes,
  demand,
  hasType,
  inputRank,
  inputShape,
  inputType,
  inRange,
  kinds,
  number,
  type Rule,
} from './rule.js';

/** Rules of the operations in which one input gives the places of another input's elements. */

export const lookupRules = {
  Gather: {
    arity: 2,
    attrs: { axis: kinds.axis },
    types: (node) => {
      inputType(node, 0, allTypes);
      inputType(node, 1, ['int32']);
      hasType(node.dtype, [node.inputs[0]!.dtype]);
    },
    shape: (node) => {
      inRange(node, number(node, 'axis'));
      return node.inputs[0]!.shape.toSpliced(number(node, 'axis'), 1, ...node.inputs[1]!.shape);
    },
  },

  SegmentSum: {
    arity: 2,
    attrs: {},
    types: (node) => {
      inputType(node, 0, ['float32']);
      inputType(node, 1, ['int32']);
      hasType(node.dtype, ['float32']);
    },
    shape: (node) => {
      const { inputs, shape } = node;
      inputRank(node, 1, 1);
      inputShape(node, 1, inputs[0]!.shape.slice(0, 1), 'one id for each row of input 0');
      demand(shape.length > 0, () => 'its result must have rows; it is a scalar');
      return [shape[0]!, ...inputs[0]!.shape.slice(1)];
    },
  },

  OneHot: {
    arity: 1,
    attrs: { onValue: kinds.number, offValue: kinds.number },
    types: (node) => {
      inputType(node, 0, ['int32']);
      hasType(node.dtype, allTypes);
    },
    shape: ({ inputs, shape }) => [...inputs[0]!.shape, shape.at(-1) ?? 0],
  },
} satisfies Record<string, Rule>;
