import { sameShape } from '../../../network/ir.js';
import { isNatural } from './value.js';

/**
 * The layout of a weight in the network, relative to the file. Some axes of the file's tensor are split in two (or get a neighbour of
 * length 1), the result is transposed, and then neighbours are joined to `shape`. The canonical layouts are those of
 * layers-models: kernels [in, out], filters [...window, in, out].
 */
export interface WeightLayout {
  /** Shape of the file's tensor after the split, before the transpose; it has as many numbers as the file's. */
  readonly split: readonly number[];
  /** Axis i of the transposed tensor is axis perm[i] of the split one. */
  readonly perm: readonly number[];
  /** Shape in the network. */
  readonly shape: readonly number[];
}

/** The layout in the file. */
export const fileLayout = (dims: readonly number[]): WeightLayout => permutedLayout(dims, dims.map((_, i) => i)); // prettier-ignore

/** The file's axes in another order. */
export const permutedLayout = (dims: readonly number[], perm: readonly number[]): WeightLayout =>
  splitLayout(dims, perm);

/** The file's axes, split to `split`, in another order. */
export const splitLayout = (split: readonly number[], perm: readonly number[]): WeightLayout => ({
  split,
  perm,
  shape: perm.map((axis) => split[axis]!),
});

export const sameLayout = (a: WeightLayout, b: WeightLayout): boolean =>
  sameShape(a.split, b.split) && sameShape(a.perm, b.perm) && sameShape(a.shape, b.shape);

/** Whether the numbers of both layouts have one order. */
export const isFileOrder = ({ perm }: WeightLayout): boolean => isNatural(perm);

/** The place in the file's tensor of each number of the network's. */
function places({ split, perm }: WeightLayout): Uint32Array {
  const strides = split.map(() => 1);
  for (let i = split.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * split[i + 1]!;
  let found = Uint32Array.of(0);
  for (const axis of perm) {
    const [n, stride, before] = [split[axis]!, strides[axis]!, found];
    found = new Uint32Array(before.length * n);
    for (let i = 0, k = 0; i < before.length; i++) for (let j = 0; j < n; j++) found[k++] = before[i]! + j * stride;
  }
  return found;
}

type Floats = Float32Array | Float64Array;

/** The values of the file's tensor in the network's layout. */
export function toNetwork<T extends Floats>(layout: WeightLayout, values: T): T {
  if (isFileOrder(layout)) return values;
  const from = places(layout);
  const moved = values.slice() as T;
  for (let i = 0; i < from.length; i++) moved[i] = values[from[i]!]!;
  return moved;
}

/** The reverse: the network's values in the file's layout. */
export function toFile<T extends Floats>(layout: WeightLayout, values: T): T {
  if (isFileOrder(layout)) return values;
  const to = places(layout);
  const moved = values.slice() as T;
  for (let i = 0; i < to.length; i++) moved[to[i]!] = values[i]!;
  return moved;
}
