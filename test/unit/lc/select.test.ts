import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../daemon/lc/random.js';
import { countNonZeros, keepLargest } from '../../../daemon/lc/projections/select.js';

fc.configureGlobal({ seed: 20180618 });

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

  it('equals the sorted selection on 20,000 normal weights, at every magnitude of kappa', () => {
    const random = createRandom(1);
    const v = Float32Array.from({ length: 20_000 }, () => random.normal());
    for (const kappa of [1, 10, 1000, 10_000, 19_999]) {
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

describe('keepLargest on large vectors, where a sample brackets the threshold', () => {
  const n = 200_000;

  /** Exactly the kappa largest: everything kept is at least as large as everything dropped. */
  function expectSelected(v: Float32Array, kappa: number): void {
    const theta = new Float32Array(n);
    keepLargest(v, kappa, theta);
    expect(countNonZeros(theta)).toBe(kappa);
    const sorted = v.map(Math.abs).sort().reverse();
    const threshold = sorted[kappa - 1]!;
    let ties = kappa - sorted.findIndex((x) => x === threshold);
    const wrong = v.findIndex((x, i) => {
      const magnitude = Math.abs(x);
      const keep = magnitude > threshold || (magnitude === threshold && ties-- > 0);
      return theta[i] !== (keep ? x : 0);
    });
    expect(wrong).toBe(-1);
  }

  it('weights of one magnitude: the first kappa', () => {
    expectSelected(new Float32Array(n).fill(-0.25), 1234);
  });

  it('two magnitudes that differ in the last bit', () => {
    const v = new Float32Array(n).map((_, i) => (i % 3 === 0 ? 1 : 1.00000012));
    for (const kappa of [1, 100_000, 133_333, 133_334, 150_000, 199_999]) expectSelected(v, kappa);
  });

  it('sorted either way, and with a period', () => {
    expectSelected(
      new Float32Array(n).map((_, i) => i + 1),
      777,
    );
    expectSelected(
      new Float32Array(n).map((_, i) => n - i),
      100_001,
    );
    expectSelected(
      new Float32Array(n).map((_, i) => ((i % 64) + 1) * (1 + i * 1e-6)),
      20_000,
    );
  });

  it('a vector made to fool the sample', () => {
    const v = new Float32Array(n).map((_, i) => 1e-3 + i * 1e-9);
    for (let k = 0; k < 1 << 15; k++) v[Math.floor(((Math.imul(k, 0x9e3779b9) >>> 0) / 2 ** 32) * n)] = 100 + k;
    for (const kappa of [50_000, 150_000]) expectSelected(v, kappa);
    expectSelected(
      v.map((x) => 1 / x),
      10_000,
    );
  });

  it('finds a NaN anywhere', () => {
    const v = new Float32Array(n).fill(1);
    for (const at of [0, 99_999, n - 1]) {
      v[at] = NaN;
      expect(() => keepLargest(v, 10, v)).toThrow(`weight ${at} of`);
      v[at] = 1;
    }
  });
});
