import { sizeOf } from '../../protocol/shape.js';

/**
 * Facts about a tensor that do not depend on data inputs: which of its slices are constant. NaN stands for a value that varies or is not
 * known; values that vary are taken to be finite.
 */
export interface Known {
  /** The value of all elements; NaN if they differ. */
  readonly whole: number;
  /** Every element, if it depends on weights and constants only. */
  readonly data?: ArrayLike<number>;
  /** For each index of the axis, the value of all elements there. */
  axis(axis: number): ArrayLike<number>;
}

export const unknown = (shape: readonly number[]): Known => ({
  whole: NaN,
  axis: (axis) => new Float64Array(shape[axis]!).fill(NaN),
});

/** @param axes by axis; missing axes are unknown. */
export const sliced = (shape: readonly number[], axes: ReadonlyMap<number, ArrayLike<number>>, whole = NaN): Known => ({
  whole,
  axis: (axis) => axes.get(axis) ?? new Float64Array(shape[axis]!).fill(whole),
});

function constantSlices(shape: readonly number[], data: ArrayLike<number>, axis: number): Float64Array {
  const length = shape[axis]!;
  const inner = sizeOf(shape.slice(axis + 1));
  const slices = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const first = data[i * inner]!;
    let same = true;
    for (let at = i * inner; same && at < data.length; at += length * inner)
      for (let j = at; same && j < at + inner; j++) same = data[j] === first;
    slices[i] = same ? first : NaN;
  }
  return slices;
}

/** @param data row-major. */
export function known(shape: readonly number[], data: ArrayLike<number>): Known {
  const slices = new Map<number, Float64Array>();
  const first = data[0]!;
  let same = true;
  for (let i = 1; same && i < data.length; i++) same = data[i] === first;
  return {
    whole: same ? first : NaN,
    data,
    axis: (axis) => {
      let found = slices.get(axis);
      if (!found) slices.set(axis, (found = constantSlices(shape, data, axis)));
      return found;
    },
  };
}

/** A tensor with one number everywhere. */
export const splat = (shape: readonly number[], value: number): Known => sliced(shape, new Map(), value);
