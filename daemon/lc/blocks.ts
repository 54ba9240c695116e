import type { Compression } from './compression.js';
import { MAGNITUDE_BITS, bitsOf, countNonZeros, requireFinite } from './select.js';

/** A kernel as the matrix [inputs of a unit, units], row-major: Dense as it is, Conv2D with kh * kw * in inputs. */
export interface BlockedLayer {
  readonly name: string;
  readonly size: number;
  readonly units: number;
}

/** Non-zeros an N:M pattern can hold: min(N, length) of every block, the last block of a unit's inputs being shorter. */
export function patternCapacity(n: number, m: number, { size, units }: BlockedLayer): number {
  const inputs = size / units;
  return units * (Math.floor(inputs / m) * n + Math.min(n, inputs % m));
}

/**
 * N:M: the N largest |v| of every M consecutive inputs of each unit, exact; ties to the lowest input. This is the
 * direction in which sparse tensor cores and im2col kernels want it; for a kernel in memory the block is a column.
 */
export function patternConstraint(n: number, m: number, layers: readonly BlockedLayer[]): Compression {
  const top = new Int32Array(n);
  return {
    description: `${n}:${m} pattern`,
    project(v, _mu, theta) {
      requireFinite(v);
      if (theta !== v) theta.set(v);
      const bits = bitsOf(theta);
      let start = 0;
      for (const { size, units } of layers) {
        for (let row = 0; row < size; row += m * units) {
          const end = start + Math.min(size, row + m * units);
          for (let unit = 0; unit < units; unit++) keepLargestOfBlock(bits, start + row + unit, end, units, top);
        }
        start += size;
      }
    },
    cost: countNonZeros,
  };
}

/** Zeroes all but the top.length largest of bits[first], bits[first + stride], ... below end. */
function keepLargestOfBlock(bits: Int32Array, first: number, end: number, stride: number, top: Int32Array): void {
  // `top` holds the largest so far in descending order.
  const last = top.length - 1;
  top.fill(-1);
  for (let i = first; i < end; i += stride) {
    const key = bits[i]! & MAGNITUDE_BITS;
    if (key <= top[last]!) continue;
    let at = last;
    for (; at > 0 && top[at - 1]! < key; at--) top[at] = top[at - 1]!;
    top[at] = key;
  }
  const threshold = top[last]!;
  if (threshold < 0) return;
  let ties = 0;
  for (let at = last; at >= 0 && top[at] === threshold; at--) ties++;
  for (let i = first; i < end; i += stride) {
    const key = bits[i]! & MAGNITUDE_BITS;
    if (key < threshold || (key === threshold && ties-- <= 0)) bits[i] = 0;
  }
}

/** One projection after another: exact where the second only removes from what the first, a cap per block, leaves. */
export function inSequence(first: Compression, second: Compression): Compression {
  return {
    description: `${first.description}, then ${second.description}`,
    project(v, mu, theta) {
      first.project(v, mu, theta);
      second.project(theta, mu, theta);
    },
    cost: (theta) => second.cost(theta),
  };
}
