import type { Node } from '../ir.js';
import type { Operations } from '../operations.js';
import { flag, type GradientRule } from './rule.js';

/** Gradients of the product of matrices. */

/** [..., rows, columns] as one matrix of all rows. */
const allRows = (make: Operations, x: Node): Node => make.reshape(x, [x.shape.slice(0, -1).reduce((a, b) => a * b, 1), x.shape.at(-1)!]); // prettier-ignore

export const productRules = {
  // y = A B: dA = g B^T, dB = A^T g, where A and B are the factors, transposed or not; summed over what was broadcast.
  MatMul: ({ make, inputs, y, dy }) => {
    const [a, b] = inputs as [Node, Node];
    const [ta, tb] = [flag(y, 'transposeA'), flag(y, 'transposeB')];
    const ofA = () => (ta ? make.matMul(b, dy, tb, true) : make.matMul(dy, b, false, !tb));
    const ofB = () => {
      // One matrix for all: the rows of all products are those of one.
      const oneB = b.shape.length === 2 && !ta && dy.shape.length > 2 && a.shape.length === dy.shape.length;
      const [left, right] = oneB ? [allRows(make, a), allRows(make, dy)] : [a, dy];
      return tb ? make.matMul(right, left, true, ta) : make.matMul(left, right, !ta, false);
    };
    return [() => make.sumTo(ofA(), a.shape), () => make.sumTo(ofB(), b.shape)];
  },
} satisfies Record<string, GradientRule>;
