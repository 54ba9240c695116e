import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../daemon/lc/random.js';
import { decimate } from '../../../webview/chart/decimate.js';
import { envelope } from '../../../webview/chart/envelope.js';

const identity = (value: number) => value;

describe('the envelope of a dense line', () => {
  test('every pixel column is painted from its lowest to its highest value, also after downsampling', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const random = createRandom(seed);
        const n = 3000 + random.below(4000);
        const width = 200;
        const y = Float64Array.from({ length: n }, () => random.next() * (random.next() < 0.002 ? 100 : 1));
        const x = Float64Array.from(y, (_, i) => i);
        const toX = (value: number) => (value / (n - 1)) * width;
        const { bars } = envelope(decimate(x, y, 0, n - 1, width), toX, identity, 0);
        const painted = new Map<number, [number, number]>();
        for (let i = 0; i < bars.length; i += 3) painted.set(bars[i]!, [bars[i + 1]!, bars[i + 2]!]);
        expect(painted.size).toBe(bars.length / 3);
        let missed = 0;
        for (let i = 0; i < n; i++) {
          // One pixel of slack: the columns of the decimation need not be those of the screen.
          const at = Math.floor(toX(i));
          const near = [at - 1, at, at + 1].map((column) => painted.get(column)).filter((bar) => bar !== undefined);
          if (!near.some(([low]) => low <= y[i]!) || !near.some(([, high]) => high >= y[i]!)) missed++;
        }
        expect(missed).toBe(0);
        // Nothing is painted that no value reaches.
        expect(Math.min(...Array.from(painted.values(), ([low]) => low))).toBe(Math.min(...y));
        expect(Math.max(...Array.from(painted.values(), ([, high]) => high))).toBe(Math.max(...y));
      }),
      { seed: 5, numRuns: 20 },
    );
  });

  test('neighbouring columns join; empty ones are crossed by a straight link; a gap stays one', () => {
    const points = { x: [0.2, 1.5, 4.5, 5.5], y: [10, 20, 30, null], broken: [5.5] };
    const { bars, links } = envelope(points, identity, identity, 2);
    expect(bars).toEqual([0, 9, 11, 1, 9, 21, 4, 29, 31]);
    expect(links).toEqual([1.5, 20, 4.5, 30]);
    const gap = envelope({ x: [0, 1, 2], y: [1, null, 9], broken: [1] }, identity, identity, 0);
    expect(gap).toEqual({ bars: [0, 1, 1, 2, 9, 9], links: [] });
  });
});
