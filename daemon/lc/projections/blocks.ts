import type { Compression } from '../compression.js';
import { MAGNITUDE_BITS, bitsOf, countNonZeros, requireFinite } from './select.js';

/**
 * A kernel as the array [outer, units, inner], row-major: the inputs of a unit are its outer * inner entries, in this order.
 * Dense and Conv2D have inner = 1, Conv2DTranspose [kh, kw, units, inner].
 */
export interface BlockedLayer {
  readonly name: string;
  readonly size: number;
  readonly units: number;
  /** Default 1. */
  readonly inner?: number;
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
      for (const layer of layers) {
        eachBlock(m, layer, start, (block, length) => keepLargestOfBlock(bits, block, length, top));
        start += layer.size;
      }
    },
    cost: countNonZeros,
  };
}

/** Calls with the positions of each block, the first `length` entries of an array that is used again. */
export function eachBlock(
  m: number,
  { size, units, inner = 1 }: BlockedLayer,
  start: number,
  visit: (block: Uint32Array, length: number) => void,
): void {
  const inputs = size / units;
  const block = new Uint32Array(Math.min(m, inputs));
  for (let first = 0; first < inputs; first += m) {
    const length = Math.min(m, inputs - first);
    for (let unit = 0; unit < units; unit++) {
      for (let i = 0; i < length; i++) {
        const input = first + i;
        block[i] = start + (inner === 1 ? input * units + unit : (Math.floor(input / inner) * units + unit) * inner + (input % inner)); // prettier-ignore
      }
      visit(block, length);
    }
  }
}

/** Zeroes all but the top.length largest of the bits at the block's positions. */
function keepLargestOfBlock(bits: Int32Array, block: Uint32Array, length: number, top: Int32Array): void {
  // `top` holds the largest so far in descending order.
  const last = top.length - 1;
  top.fill(-1);
  for (let i = 0; i < length; i++) {
    const key = bits[block[i]!]! & MAGNITUDE_BITS;
    if (key <= top[last]!) continue;
    let at = last;
    for (; at > 0 && top[at - 1]! < key; at--) top[at] = top[at - 1]!;
    top[at] = key;
  }
  const threshold = top[last]!;
  if (threshold < 0) return;
  let ties = 0;
  for (let at = last; at >= 0 && top[at] === threshold; at--) ties++;
  for (let i = 0; i < length; i++) {
    const key = bits[block[i]!]! & MAGNITUDE_BITS;
    if (key < threshold || (key === threshold && ties-- <= 0)) bits[block[i]!] = 0;
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
