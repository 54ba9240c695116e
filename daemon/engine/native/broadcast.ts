import type { Node } from '../../network/ir.js';
import { sizeOf } from '../../protocol/shape.js';

/** How a group reads a tensor. */
export interface Broadcast {
  readonly kind: 'load' | 'loadColumns' | 'loadRows' | 'loadScalar' | 'constant';
  /** Of columns: rows that share one row. */
  readonly span: number;
}

/** A tensor's elements as rows x columns. */
export interface View {
  readonly rows: number;
  readonly columns: number;
}

/**
 * How a group of some view reads a tensor of a shape (of a reshape's, perhaps) for a node of another, broadcast as in NumPy.
 * @returns undefined where no load does it.
 */
export function broadcastOf(
  tensor: Node,
  given: readonly number[],
  reader: readonly number[],
  { rows, columns }: View,
): Broadcast | undefined {
  if (tensor.op === 'Constant' && typeof tensor.constant === 'number') return { kind: 'constant', span: 0 };
  const size = sizeOf(given);
  if (size === rows * columns) return { kind: 'load', span: 0 };
  if (size === 1) return { kind: 'loadScalar', span: 0 };
  // Aligned to the right with the reader's shape, as NumPy broadcasts.
  const shape = [...new Array<number>(Math.max(0, reader.length - given.length)).fill(1), ...given];
  const matches = (axis: number) => shape[axis] === reader[axis];
  const last = reader.length - 1;
  if (shape[last] === columns) {
    // Leading axes that match, then axes of 1, then the columns.
    let lead = 0;
    while (lead < last && matches(lead)) lead++;
    const ones = shape.slice(lead, last).every((n) => n === 1);
    if (ones) return { kind: 'loadColumns', span: rows / sizeOf(reader.slice(0, lead)) };
  }
  const isColumn = size === rows && shape[last] === 1 && shape.every((_, axis) => axis === last || matches(axis));
  return isColumn ? { kind: 'loadRows', span: 0 } : undefined;
}
