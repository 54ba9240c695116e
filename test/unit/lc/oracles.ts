import fc from 'fast-check';
import type { Compression } from '../../../daemon/lc/compression.js';

/** ||a - b||^2 in float64. */
export function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}

export const squared = (v: ArrayLike<number>): number => squaredDistance(v, new Float64Array(v.length));

/** Every subset of 0..n-1 as a bit mask. */
export function* subsets(n: number): Generator<number> {
  for (let mask = 0; mask < 2 ** n; mask++) yield mask;
}

export const has = (mask: number, i: number): boolean => ((mask >> i) & 1) === 1;

/** v at the bits of the mask, 0 elsewhere. */
export const restrict = (v: Float32Array, mask: number): Float32Array => v.map((x, i) => (has(mask, i) ? x : 0));

export const nonZeros = (theta: ArrayLike<number>): number => Array.from(theta).filter((x) => x !== 0).length;

/** The least ||v - theta||^2 over the supports that `feasible` allows, keeping v on them. */
export function bestSupport(v: Float32Array, feasible: (mask: number) => boolean): number {
  let best = Infinity;
  for (const mask of subsets(v.length))
    if (feasible(mask)) best = Math.min(best, squaredDistance(v, restrict(v, mask)));
  return best;
}

export function project(compression: Compression, v: Float32Array, mu = 1): Float32Array {
  const theta = new Float32Array(v.length).fill(NaN);
  compression.project(v, mu, theta);
  return theta;
}

/** Weights with ties, zeros and several scales. */
export const weights = (minLength: number, maxLength = minLength): fc.Arbitrary<Float32Array> =>
  fc
    .array(
      fc.oneof(
        fc.constantFrom(0, 1, -1, 2, -2, 0.5),
        fc.double({ min: -3, max: 3, noNaN: true }),
        fc.double({ min: -1e-3, max: 1e-3, noNaN: true }),
      ),
      { minLength, maxLength },
    )
    .map((values) => Float32Array.from(values));
