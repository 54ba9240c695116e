/** The common parts of every family of operations: values in float64, row-major, and the function that computes one node. */
import type { Node } from '../../../../daemon/network/ir.js';

/** The values of a node's tensor, row-major; integers and truths (0 and 1) too. */
export type Values = Float64Array;

/** Computes one node from the values of its inputs. */
export type Compute = (node: Node, inputs: readonly Values[]) => Values;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Strides in elements, by axis. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return strides;
}

export const numbers = (node: Node, name: string): readonly number[] => node.attrs[name] as readonly number[];
export const number = (node: Node, name: string): number => node.attrs[name] as number;
export const flag = (node: Node, name: string): boolean => node.attrs[name] === true;

/**
 * Calls `visit` for each index of `shape`, in order, with the offset of that index by each list of strides.
 * @param starts where each offset begins; default 0.
 */
export function walk(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (offsets: readonly number[]) => void,
  starts: readonly number[] = [],
): void {
  const total = sizeOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  const offsets = strides.map((_, k) => starts[k] ?? 0);
  for (let i = 0; i < total; i++) {
    visit(offsets);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) {
        for (let k = 0; k < strides.length; k++) offsets[k]! += strides[k]![axis]!;
        break;
      }
      index[axis] = 0;
      for (let k = 0; k < strides.length; k++) offsets[k]! -= strides[k]![axis]! * (shape[axis]! - 1);
    }
  }
}

/** Strides of a tensor read as one of `shape`, as NumPy broadcasts: 0 along what is repeated. */
export function broadcastStrides(own: readonly number[], shape: readonly number[]): number[] {
  const strides = stridesOf(own);
  const lead = shape.length - own.length;
  return shape.map((_, axis) => (axis < lead || own[axis - lead] === 1 ? 0 : strides[axis - lead]!));
}
