import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawLayer, imageOf, keptPerInput } from '../../../daemon/server/jobs/layerPicture.js';

const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 });

describe('drawLayer', () => {
  it('counts every weight of w once and every kept weight of theta once, within its edges', () => {
    fc.assert(
      fc.property(
        fc.array(float, { minLength: 1, maxLength: 300 }),
        fc.array(fc.boolean(), { maxLength: 300 }),
        (values, keep) => {
          const w = Float32Array.from(values);
          const theta = w.map((value, i) => (keep[i] ? value : 0));
          const picture = drawLayer('l', [w.length, 1], w, theta, null);
          const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
          expect(picture.edges).toHaveLength(picture.w.length + 1);
          expect(sum(picture.w)).toBe(w.length);
          expect(sum(picture.theta) + picture.zeros).toBe(w.length);
          const { edges } = picture;
          // Brute force, away from the edges themselves.
          picture.w.forEach((count, bin) => {
            const inside = [...w].filter(
              (value) => value > edges[bin]! + 1e-9 && value < edges[bin + 1]! - 1e-9,
            ).length;
            const around = [...w].filter(
              (value) => value >= edges[bin]! - 1e-9 && value <= edges[bin + 1]! + 1e-9,
            ).length;
            expect(count).toBeGreaterThanOrEqual(inside);
            expect(count).toBeLessThanOrEqual(around);
          });
        },
      ),
    );
  });

  it('survives constant, empty and infinite weights', () => {
    for (const w of [new Float32Array(4).fill(3), new Float32Array(0), Float32Array.of(Infinity, NaN, 1)]) {
      const picture = drawLayer('l', [w.length, 1], w, w, null);
      expect(picture.edges.every(Number.isFinite)).toBe(true);
    }
  });
});

describe('keptPerInput', () => {
  it('counts rows of a Dense kernel', () => {
    // [in, out] = [3, 2]
    expect(keptPerInput(Float32Array.of(1, 0, 0, 0, 2, 3), [3, 2])).toEqual([1, 0, 2]);
  });
  it('counts input channels of a convolution over all positions', () => {
    // [kh, kw, in, out] = [1, 2, 2, 1]
    expect(keptPerInput(Float32Array.of(1, 0, 5, 7), [1, 2, 2, 1])).toEqual([2, 1]);
  });
});

describe('imageOf', () => {
  it.each([
    [784, [28, 28, 1]],
    [3072, [32, 32, 3]],
    [300, null],
    [4, null],
  ])('%d inputs', (inputs, image) => expect(imageOf(inputs)).toEqual(image));
});
