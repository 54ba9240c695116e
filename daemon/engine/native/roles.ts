import type { Node } from '../../network/ir.js';
import { sizeOf } from '../../protocol/shape.js';
import { broadcastOf, isEachRow, type View } from './broadcast.js';
import { step } from './layout.js';

/**
 * What a node is in a group of element-wise operations over rows x columns: an operation on every element, a reduction of
 * each row to one number, an operation on those numbers, or a sum of all rows, which is there only after the group.
 */
export type Role = 'element' | 'rowReduction' | 'row' | 'columnSum';

const lastDim = (node: Node): number => node.shape.at(-1) ?? 1;

export const isElementwise = (node: Node): boolean => node.op in step && /^[A-Z]/.test(node.op);

/** Sums over all axes but the last: [rows, columns] to [columns]. */
export function sumsRows(node: Node): boolean {
  if (node.op !== 'Sum' && node.op !== 'Mean') return false;
  const { shape } = node.inputs[0]!;
  const axes = node.attrs['axes'] as readonly number[];
  return shape.length > 1 && shape.every((n, axis) => n === 1 || axes.includes(axis) === axis < shape.length - 1) && !axes.includes(shape.length - 1); // prettier-ignore
}

/** Sums, averages or takes the largest over the last axis alone: [rows, columns] to [rows]. */
export function reducesRows(node: Node): boolean {
  if (node.op !== 'Sum' && node.op !== 'Mean' && node.op !== 'Max') return false;
  const { shape } = node.inputs[0]!;
  const axes = node.attrs['axes'] as readonly number[];
  const last = shape.length - 1;
  return last >= 0 && shape[last]! > 1 && shape.every((n, axis) => n === 1 || axes.includes(axis) === (axis === last));
}

/** The rows x columns that a node of a group is over; undefined for what no group computes. */
export function viewOf(node: Node): View | undefined {
  const reduces = sumsRows(node) || reducesRows(node);
  if (!reduces && !isElementwise(node)) return undefined;
  const whole = reduces ? node.inputs[0]! : node;
  const columns = lastDim(whole);
  return { rows: sizeOf(whole.shape) / columns, columns };
}

/** What a node is in a group of a view; undefined where it cannot be in it. @param inputs what it reads. */
export function roleIn(node: Node, inputs: readonly Node[], view: View): Role | undefined {
  const own = viewOf(node);
  if (!own) return undefined;
  if (own.rows === view.rows && own.columns === view.columns)
    return sumsRows(node) ? 'columnSum' : reducesRows(node) ? 'rowReduction' : 'element';
  if (!isElementwise(node) || sizeOf(node.shape) !== view.rows) return undefined;
  const loads = inputs.map((tensor, i) => broadcastOf(tensor, node.inputs[i]!.shape, node.shape, view, true)?.kind);
  return loads.includes('loadRow') && !loads.includes(undefined) ? 'row' : undefined;
}

/**
 * Whether a node of a group can be read by another of it while the group runs: element by element, or by rows.
 *
 * @param inputs what the reader reads.
 */
export function readsInside(reader: Node, inputs: readonly Node[], node: Node, role: Role, view: View): boolean {
  if (role === 'columnSum') return false;
  const readerRole = roleIn(reader, inputs, view);
  if (role === 'element') return readerRole !== 'row';
  if (readerRole !== 'element' && readerRole !== 'row') return false;
  return inputs.every((input, i) => {
    if (input !== node) return true;
    const broadcast = broadcastOf(input, reader.inputs[i]!.shape, reader.shape, view, readerRole === 'row');
    return broadcast?.kind === 'loadRow' && isEachRow(broadcast.repeat);
  });
}
