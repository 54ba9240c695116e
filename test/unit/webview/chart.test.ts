/** The vertical range that shows the end of a curve, and until where high errors are normal. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NEAR, settledAt } from '../../../webview/chart/settled.js';
import { yRange } from '../../../webview/chart/yRange.js';

const spread = (y: (number | null)[]) => ({ points: { x: y.map((_, i) => i), y } });
const options = { levels: [], log: false, end: true };

describe('the vertical range', () => {
  /** An error curve as in a run: 90% at first, 2% at the end. */
  const fall = Array.from({ length: 100 }, (_, i) => 0.02 + 0.88 * Math.exp(-i / 12) + (i % 2 ? 0.001 : 0));

  it('fits the height to the last third of a falling error, and gives the height of the rest', () => {
    const { range, cut } = yRange([spread(fall)], [0, 99], options);
    const last = fall.slice(66);
    expect(range[1]).toBeGreaterThanOrEqual(Math.max(...last));
    // Not flattened: the last third has a tenth of the height at least, of the whole range it has hardly any.
    expect((Math.max(...last) - Math.min(...last)) / (range[1] - range[0])).toBeGreaterThan(0.1);
    expect((Math.max(...last) - Math.min(...last)) / 0.9).toBeLessThan(0.01);
    expect(cut).toBe(Math.max(...fall));
  });

  it('shows the whole curve if it must not cut, if nothing would be gained, and if all points are at the beginning', () => {
    for (const [values, end] of [
      [fall, false],
      [Array.from({ length: 100 }, (_, i) => 0.9 - i / 120), true],
      [[0.9, 0.8, 0.9, 0.85], true],
    ] as const) {
      const { range, cut } = yRange([spread([...values])], [0, values.length - 1], { ...options, end });
      expect(cut).toBeNull();
      expect(range[0]).toBeLessThanOrEqual(Math.min(...values));
      expect(range[1]).toBeGreaterThan(Math.max(...values));
    }
    expect(yRange([spread([0.9, 0.8])], [0, 99], options).cut).toBeNull();
    expect(yRange([], [0, 1], options)).toEqual({ range: [0, 1], cut: null });
    expect(yRange([spread([null, null])], [0, 1], { ...options, log: true })).toEqual({ range: [0.1, 1], cut: null });
  });

  it('for any values, the last third, the levels and all low values are visible, and only higher ones are cut off', () => {
    const values = fc.array(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant(null)), { minLength: 3, maxLength: 60 }); // prettier-ignore
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (y, level, log) => {
        // A logarithmic chart has no points at zero.
        const shown = y.map((value) => (log && value !== null && value <= 1e-6 ? null : value));
        const { range, cut } = yRange([spread(shown)], [0, y.length - 1], { levels: [level], log, end: true });
        const inSight = (value: number) => value >= range[0] && value <= range[1];
        const known = shown.filter((value) => value !== null);
        const last = shown.filter((value, i) => value !== null && i >= (2 / 3) * (y.length - 1) + 1e-9) as number[];
        expect(last.every(inSight)).toBe(true);
        if (!log) expect(inSight(level)).toBe(true);
        expect(known.every((value) => value >= range[0])).toBe(true);
        expect(known.some((value) => value > range[1])).toBe(cut !== null);
        if (cut !== null) expect(cut).toBe(Math.max(...known));
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});

describe('until where high errors are normal', () => {
  // A run of examples/lenet300/demo.prune.json, 1% kept: ||w - theta||/||w|| and the error of the pruned weights.
  const RATIO = [0.8823, 0.9072, 0.9118, 0.9823, 0.8681, 0.9549, 0.8025, 0.8443, 0.7648, 0.7495, 0.6761, 0.6224, 0.5577, 0.5105, 0.4605, 0.4124, 0.3651, 0.3271, 0.2918, 0.2513, 0.2183, 0.1922, 0.176]; // prettier-ignore
  const ERROR = [0.76, 0.8042, 0.7655, 0.5747, 0.5505, 0.6559, 0.5991, 0.679, 0.4606, 0.4444, 0.3261, 0.3776, 0.2701, 0.3111, 0.1345, 0.1084, 0.071, 0.0649, 0.0649, 0.0478, 0.0498, 0.0413, 0.0413]; // prettier-ignore
  const first = (n: number) => ({
    x: Array.from({ length: n }, (_, i) => 705 * (i + 1)),
    mu: Array.from({ length: n }, (_, i) => 1e-4 * 1.15 ** i),
    ratio: RATIO.slice(0, n),
  });

  it('is the point where the distance fell below the bound, and the error of that run had fallen, too', () => {
    const at = RATIO.findIndex((ratio) => ratio <= NEAR);
    expect(settledAt(first(RATIO.length), 0)).toEqual({ x: 705 * (at + 1), expected: false });
    expect(ERROR[at]!).toBeLessThan(0.05);
    expect(Math.max(...ERROR)).toBeGreaterThan(0.8);
  });

  it('is foretold by the growth of the penalty, within a quarter of the way from its middle on, never beyond the schedule', () => {
    const truth = 705 * (RATIO.findIndex((ratio) => ratio <= NEAR) + 1);
    for (let n = 10; n < 21; n++) {
      const { x, expected } = settledAt(first(n), 40 - n)!;
      expect(expected).toBe(true);
      expect(Math.abs(x - truth) / truth, `after ${n}`).toBeLessThan(0.25);
    }
    expect(settledAt(first(10), 2)!.x).toBe(705 * 12);
  });

  it('is absent if nothing is known, or a run ended far from it', () => {
    expect(settledAt(first(0), 40)).toBeNull();
    expect(settledAt(first(1), 40)).toBeNull();
    expect(settledAt(first(12), 0)).toBeNull();
    expect(settledAt({ x: [1, 2], mu: [1, 1], ratio: [0.9, 0.9] }, 9)).toBeNull();
    expect(settledAt({ x: [1, 2], mu: [1, 2], ratio: [NaN, NaN] }, 9)).toBeNull();
  });
});
