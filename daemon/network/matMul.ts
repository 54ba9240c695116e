import { sizeOf } from '../protocol/shape.js';
import type { GraphBuilder } from './builder.js';
import { broadcastShape, type Node } from './ir.js';

/**
 * [..., M, K] x [..., K, N]; transposing a factor swaps its last two axes. A product with one matrix in each factor, or of many rows
 * with one matrix, becomes two-dimensional.
 *
 * @throws RangeError if the leading axes do not broadcast, or the factors do not fit
 */
export function addMatMul(graph: GraphBuilder, a: Node, b: Node, transposeA: boolean, transposeB: boolean): Node {
  const [rows, columns] = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
  const [inner, same] = [a.shape.at(transposeA ? -2 : -1)!, b.shape.at(transposeB ? -1 : -2)!];
  if (inner !== same) throw new RangeError(`rows of ${inner} numbers do not fit to columns of ${same}`);
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, rows, columns];
  const attrs = { transposeA, transposeB };
  const reshape = (x: Node, to: readonly number[]) => graph.add({ op: 'Reshape', inputs: [x], shape: to });
  if (sizeOf(b.shape.slice(0, -2)) === 1 && (sizeOf(batch) === 1 || !transposeA)) {
    const flatA = reshape(a, transposeA ? a.shape.slice(-2) : [sizeOf(a.shape.slice(0, -1)), a.shape.at(-1)!]);
    const flatB = reshape(b, b.shape.slice(-2));
    const flat = graph.add({ op: 'MatMul', inputs: [flatA, flatB], attrs, shape: [sizeOf(batch) * rows, columns] });
    return reshape(flat, shape);
  }
  return graph.add({ op: 'MatMul', inputs: [a, b], attrs, shape });
}
