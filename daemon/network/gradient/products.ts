import { sizeOf } from '../../protocol/shape.js';
import type { Node } from '../ir.js';
import type { Operations } from '../operations.js';
import { flag, type GradientRule } from './rule.js';

/** Gradients of matrix products. */

/** [..., rows, columns] as one matrix of all rows. */
const allRows = (make: Operations, x: Node): Node => make.reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);

export const productRules = {
  // y = A B: dA = g B^T, dB = A^T g, with A and B transposed or not as the product has them; summed over broadcast axes.
  MatMul: ({ make, inputs, y, dy }) => {
    const [a, b] = inputs as [Node, Node];
    const [ta, tb] = [flag(y, 'transposeA'), flag(y, 'transposeB')];
    const ofA = () => (ta ? make.matMul(b, dy, tb, true) : make.matMul(dy, b, false, !tb));
    const ofB = () => {
      // One matrix serves all products: their rows are the rows of one product.
      const oneB = b.shape.length === 2 && !ta && dy.shape.length > 2 && a.shape.length === dy.shape.length;
      const [left, right] = oneB ? [allRows(make, a), allRows(make, dy)] : [a, dy];
      return tb ? make.matMul(right, left, true, ta) : make.matMul(left, right, !ta, false);
    };
    return [() => make.sumTo(ofA(), a.shape), () => make.sumTo(ofB(), b.shape)];
  },
} satisfies Record<string, GradientRule>;
