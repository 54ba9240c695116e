import type { Node } from '../../network/ir.js';
import { sizeOf } from '../../protocol/shape.js';
import type { Repeat } from './layout.js';

/** How a group reads a tensor; `repeat` says which of its rows, where it has fewer than the group. */
export interface Broadcast {
  readonly kind: 'load' | 'loadColumns' | 'loadRow' | 'loadScalar' | 'constant';
  readonly repeat: Repeat;
}

/** A tensor's elements as rows x columns. */
export interface View {
  readonly rows: number;
  readonly columns: number;
}

/** Row i reads row i. */
const eachRow: Repeat = { span: 1, period: 1, outer: 1 };

export const isEachRow = ({ span, period, outer }: Repeat): boolean => span * period * outer === 1;

/**
 * How a group of some view reads a tensor of a shape (of a reshape's, perhaps) for a node of another, broadcast as in NumPy.
 * The node has the elements of the view, or one for each of its rows (`oneARow`).
 * @returns undefined where no load does it.
 */
export function broadcastOf(
  tensor: Node,
  given: readonly number[],
  reader: readonly number[],
  { rows, columns }: View,
  oneARow = false,
): Broadcast | undefined {
  if (tensor.op === 'Constant' && typeof tensor.constant === 'number') return { kind: 'constant', repeat: eachRow };
  const size = sizeOf(given);
  if (oneARow ? size === rows && sizeOf(reader) === rows : size === rows * columns)
    return { kind: oneARow ? 'loadRow' : 'load', repeat: eachRow };
  if (size === 1) return { kind: 'loadScalar', repeat: eachRow };
  // Aligned to the right with the reader's shape, as NumPy broadcasts.
  const shape = [...new Array<number>(Math.max(0, reader.length - given.length)).fill(1), ...given];
  if (shape.length !== reader.length) return undefined;
  const rowAxes = oneARow ? reader.length : reader.length - 1;
  if (!oneARow && reader.at(-1) !== columns) return undefined;
  const repeat = repeatOf(shape.slice(0, rowAxes), reader.slice(0, rowAxes));
  return repeat && { kind: !oneARow && shape.at(-1) === columns ? 'loadColumns' : 'loadRow', repeat };
}

/** Which row of the same axes, some of them of one element, each row reads: axes that match, repeat, match and repeat. */
function repeatOf(shape: readonly number[], reader: readonly number[]): Repeat | undefined {
  let axis = shape.length - 1;
  /** The elements of the axes from here to the left that match, or that repeat. */
  const run = (matches: boolean): number => {
    let size = 1;
    for (; axis >= 0 && (reader[axis] === 1 || (shape[axis] === reader[axis]) === matches); axis--)
      size *= reader[axis]!;
    return size;
  };
  const span = run(false);
  const period = run(true);
  const outer = run(false) * span * period;
  run(true);
  if (axis >= 0) return undefined;
  return outer === span * period && span === 1 ? eachRow : { span, period, outer };
}
