import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { neededShare, suggestFloors, withLargest } from '../../../daemon/lc/sensitivity.js';

describe('sensitivity of a layer', () => {
  it('keeps the largest weights over all of the layer, and every other weight', () => {
    const w = Float32Array.of(9, 0.5, -3, 8, 1, -2, 7);
    const layer = [
      { start: 1, end: 3 },
      { start: 4, end: 6 },
    ];
    expect(withLargest(w, layer, 0.5)).toEqual(Float32Array.of(9, 0, -3, 8, 0, -2, 7));
    expect(withLargest(w, layer, 0.001)).toEqual(Float32Array.of(9, 0, -3, 8, 0, 0, 7));
    expect(withLargest(w, layer, 1)).toEqual(w);
    expect(w[1]).toBe(0.5);
  });

  it('needs the least share above which nothing is too bad; what recovers further down does not count', () => {
    const points = [
      { share: 0.02, error: 0.05 },
      { share: 0.5, error: 0.02 },
      { share: 0.2, error: 0.03 },
      { share: 0.05, error: 0.4 },
    ];
    expect(neededShare(points, 0.06)).toBe(0.2);
    expect(neededShare(points, 0.5)).toBe(0.02);
    expect(neededShare(points, 0.01)).toBe(1);
    expect(neededShare([{ share: 0.5, error: null }], 1)).toBe(1);
  });

  it('suggests floors in proportion that take between a quarter and half of a budget in weights', () => {
    const share = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(share, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 50, max: 5000 }),
        (needs, kappa) => {
          const size = 10_000;
          const sum = (floors: ReadonlyMap<string, number>) =>
            [...floors.values()].reduce((total, floor) => total + floor * size, 0);
          const asked = new Map(needs.map((need, i) => [`fc${i}`, need]));
          const floors = suggestFloors(asked, (wanted) => sum(wanted) <= kappa)!;
          expect(sum(floors)).toBeLessThanOrEqual(kappa / 2 + 1e-6);
          // Largest among halvings, unless the needs themselves are less.
          const whole = sum(asked);
          expect(sum(floors)).toBeGreaterThan(Math.min(whole, kappa / 4) - 1e-6);
          const ratio = floors.get('fc0')! / needs[0]!;
          for (const [i, need] of needs.entries()) expect(floors.get(`fc${i}`)! / need).toBeCloseTo(ratio, 9);
        },
      ),
      { seed: 20180618 },
    );
    expect(suggestFloors(new Map([['fc', 0.5]]), () => false)).toBeNull();
  });
});
