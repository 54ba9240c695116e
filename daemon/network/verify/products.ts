import { broadcast, demand, flag, kinds, real, type Rule } from './rule.js';

/** The rule of the product of matrices. */

export const productRules = {
  MatMul: {
    arity: 2,
    attrs: { transposeA: kinds.flag, transposeB: kinds.flag },
    types: real,
    shape: (node) => {
      const [a, b] = [node.inputs[0]!, node.inputs[1]!];
      for (const [index, { shape }] of node.inputs.entries())
        demand(shape.length >= 2, () => `input ${index} must be matrices; its shape is [${shape}]`);
      const [m, k] = flag(node, 'transposeA') ? [a.shape.at(-1)!, a.shape.at(-2)!] : a.shape.slice(-2);
      const [l, n] = flag(node, 'transposeB') ? [b.shape.at(-1)!, b.shape.at(-2)!] : b.shape.slice(-2);
      demand(k === l, () => `the rows of a, of ${k} numbers, and the columns of b, of ${l}, must be of one length`);
      const leading = [a, b].map((input) => ({ ...input, shape: input.shape.slice(0, -2) }));
      return [...broadcast({ inputs: leading }), m!, n!];
    },
  },
} satisfies Record<string, Rule>;
