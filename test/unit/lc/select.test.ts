import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../daemon/lc/random.js';
import { countNonZeros, keepLargest } from '../../../daemon/lc/select.js';

/** The oracle: sort positions by magnitude, ties by position. */
function keepLargestBySorting(v: Float32Array, kappa: number): Float32Array {
  const order = [...v.keys()].sort((i, j) => Math.abs(v[j]!) - Math.abs(v[i]!) || i - j);
  const theta = new Float32Array(v.length);
  for (const i of order.slice(0, kappa)) theta[i] = v[i]!;
  return theta;
}

const finite = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  // Many ties, zeros of both signs, subnormals.
  fc.constantFrom(0, -0, 1, -1, 1.0000001, 0.5, -0.5, 1e-45, -1e-45, 3.4028234663852886e38),
);

describe('keepLargest', () => {
  it('equals the sorted selection, with ties to the lowest index, in place or not', () => {
    fc.assert(
      fc.property(fc.array(finite, { maxLength: 60 }), fc.nat(70), (values, kappa) => {
        const v = Float32Array.from(values);
        const expected = keepLargestBySorting(v, kappa);
        const theta = new Float32Array(v.length).fill(7);
        keepLargest(v, kappa, theta);
        // +0 and -0 are both "nothing kept".
        expect([...theta].map((x) => x + 0)).toEqual([...expected].map((x) => x + 0));
        keepLargest(v, kappa, v);
        expect([...v]).toEqual([...theta]);
        keepLargest(v, kappa, v);
        expect([...v]).toEqual([...theta]);
      }),
      { numRuns: 2000 },
    );
  });

  it('equals the sorted selection on 100,000 normal weights, at every magnitude of kappa', () => {
    const random = createRandom(1);
    const v = Float32Array.from({ length: 100_000 }, () => random.normal());
    for (const kappa of [1, 10, 1000, 50_000, 99_999]) {
      const theta = new Float32Array(v.length);
      keepLargest(v, kappa, theta);
      expect(countNonZeros(theta)).toBe(kappa);
      expect(theta).toEqual(keepLargestBySorting(v, kappa));
    }
  });

  it('works on a part of a larger vector and leaves the rest alone', () => {
    const flat = Float32Array.of(9, 1, -3, 2, 9);
    keepLargest(flat.subarray(1, 4), 1, flat.subarray(1, 4));
    expect([...flat]).toEqual([9, 0, -3, 0, 9]);
  });

  it.each([NaN, Infinity, -Infinity])('refuses %s and leaves theta untouched', (bad) => {
    const theta = Float32Array.of(5, 5, 5);
    expect(() => keepLargest(Float32Array.of(1, bad, 2), 1, theta)).toThrow(/weight 1 of 3/);
    expect([...theta]).toEqual([5, 5, 5]);
  });

  it('refuses a bad kappa and different lengths', () => {
    const v = Float32Array.of(1, 2);
    expect(() => keepLargest(v, -1, v)).toThrow(RangeError);
    expect(() => keepLargest(v, NaN, v)).toThrow(RangeError);
    expect(() => keepLargest(v, 1.5, v)).toThrow(RangeError);
    expect(() => keepLargest(v, 1, new Float32Array(3))).toThrow(RangeError);
  });
});
