import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketRows, downsample } from '../../../../daemon/protocol/telemetry/downsample.js';

const value = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(null, NaN, Infinity, -Infinity) },
);
const isFinite = (x: number | null): x is number => x !== null && Number.isFinite(x);

describe('what stays of a curve', () => {
  test('is at most what was asked for, ascending, with both ends, all peaks and every kind of gap', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 300 }), fc.integer({ min: 5, max: 320 }), (y, most) => {
        const rows = downsample(y, most);
        expect(rows.length).toBeLessThanOrEqual(most);
        expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
        if (y.length <= most) {
          expect(rows).toEqual(y.map((_, i) => i));
          return;
        }
        expect([rows[0], rows.at(-1)]).toEqual([0, y.length - 1]);
        const kept = rows.map((row) => y[row]!);
        const finite = y.filter(isFinite);
        expect(Math.min(...kept.filter(isFinite))).toBe(Math.min(...finite));
        expect(Math.max(...kept.filter(isFinite))).toBe(Math.max(...finite));
        if (finite.length < y.length) expect(kept.some((x) => !isFinite(x))).toBe(true);
      }),
      { seed: 5 },
    );
  });

  test('uses what it was given: noise keeps at least two of three', () => {
    const y = Float64Array.from({ length: 1000 }, (_, i) => Math.sin(i * 12.9898) * 43758.5453);
    for (const most of [10, 99, 500, 800]) expect(downsample(y, most).length).toBeGreaterThan((2 * most) / 3);
  });

  test('a spike of one row survives any number of halvings', () => {
    let y = Float64Array.from({ length: 1 << 14 }, (_, i) => Math.sin(i));
    y[5000] = 50;
    y[9000] = -50;
    y[11000] = NaN;
    while (y.length > 10) y = Float64Array.from(downsample(y, y.length >> 1), (row) => y[row]!);
    expect(Array.from(y)).toEqual(expect.arrayContaining([50, -50, NaN]));
  });

  test('where there is no room for peaks the ends stay, the last one longest', () => {
    expect(downsample([1, 9, 2, 3], 2)).toEqual([0, 3]);
    expect(downsample([1, 9, 2, 3], 1)).toEqual([3]);
    expect(downsample([], 1)).toEqual([]);
  });

  test('a bucket keeps its lowest, highest and broken row, and its ends on demand', () => {
    const y = [4, 1, NaN, 9, 5];
    expect(bucketRows(y, 0, 5)).toEqual([1, 2, 3]);
    expect(bucketRows(y, 0, 5, true)).toEqual([0, 1, 2, 3, 4]);
    expect(bucketRows([7, 7, 7], 0, 3)).toEqual([0]);
    expect(bucketRows(y, 2, 2, true)).toEqual([]);
  });
});
