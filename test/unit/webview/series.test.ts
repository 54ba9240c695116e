import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ColumnTable } from '../../../webview/messages/columns.js';
import { decimate } from '../../../webview/chart/decimate.js';
import { lowerBound, nearest } from '../../../webview/chart/nearest.js';
import { clock, count, duration, number, percent, tick } from '../../../webview/page/format.js';
import { Smoother } from '../../../webview/chart/smoothing.js';

describe('smoothing', () => {
  /** The definition, without state: a weighted mean with weights beta^(n-i). */
  const oracle = (values: number[], beta: number) =>
    values.map((x, n) => {
      if (!Number.isFinite(x)) return x;
      let sum = 0;
      let weights = 0;
      const finite = values.slice(0, n + 1).filter(Number.isFinite);
      finite.forEach((value, i) => {
        const weight = beta ** (finite.length - 1 - i);
        sum += weight * value;
        weights += weight;
      });
      return sum / weights;
    });

  test('is the debiased weighted mean, however it arrives', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.constant(NaN)), { maxLength: 60 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.integer({ min: 1, max: 7 }),
        (values, beta, chunk) => {
          const smoother = new Smoother(beta);
          let out = new Float64Array();
          for (let n = 0; n <= values.length; n += chunk)
            out = Float64Array.from(smoother.extend(Float64Array.from(values.slice(0, n))));
          out = Float64Array.from(smoother.extend(Float64Array.from(values)));
          oracle(values, beta).forEach((wanted, i) => {
            if (Number.isNaN(wanted)) expect(out[i]).toBeNaN();
            else expect(out[i]).toBeCloseTo(wanted, 6);
          });
        },
      ),
      { seed: 2 },
    );
  });

  test('a constant stays itself from the first value on', () => {
    expect(Array.from(new Smoother(0.99).extend(Float64Array.of(5, 5, 5)))).toEqual([5, 5, 5]);
  });

  test('1 and more is refused', () => {
    expect(() => new Smoother(1)).toThrow(RangeError);
  });
});

describe('decimation', () => {
  /** The values that a pixel column shows: the lowest and the highest. */
  function columns(x: ArrayLike<number>, y: ArrayLike<number | null>, min: number, max: number, width: number) {
    const out = new Map<number, [number, number]>();
    for (let i = 0; i < x.length; i++) {
      const value = y[i];
      if (value === null || value === undefined || !Number.isFinite(value) || x[i]! < min || x[i]! > max) continue;
      const at = Math.floor(((x[i]! - min) * width) / (max - min || 1));
      const [low, high] = out.get(at) ?? [Infinity, -Infinity];
      out.set(at, [Math.min(low, value), Math.max(high, value)]);
    }
    return out;
  }

  test('shows the same lowest and highest value in every pixel column, with few points', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 10, max: 200 }), (seed, width) => {
        let s = seed + 1;
        const next = () => (s = (s * 48271) % 2147483647) / 2147483647;
        const n = 3000;
        const x = Float64Array.from({ length: n }, (_, i) => i);
        const y = Float64Array.from({ length: n }, () => (next() < 0.01 ? NaN : next() * (next() < 0.01 ? 100 : 1)));
        const min = Math.floor(next() * 1000);
        const max = min + 500 + Math.floor(next() * 1500);
        const points = decimate(x, y, min, max, width);
        expect(points.x.length).toBeLessThanOrEqual(5 * (width + 3));
        expect(points.x.every((value, i) => i === 0 || value > points.x[i - 1]!)).toBe(true);
        expect(columns(points.x, points.y, min, max, width)).toEqual(columns(x, y, min, max, width));
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  test('few points stay unchanged, with one beyond each end', () => {
    const x = Float64Array.of(0, 1, 2, 3, 4, 5);
    expect(decimate(x, x, 1.5, 3.5, 100).x).toEqual([1, 2, 3, 4]);
    expect(decimate(new Float64Array(), new Float64Array(), 0, 1, 100)).toEqual({ x: [], y: [], broken: [] });
  });

  test('a value that is not finite becomes a gap', () => {
    const points = decimate(Float64Array.of(0, 1, 2), Float64Array.of(1, NaN, 3), 0, 2, 10);
    expect(points.y).toEqual([1, null, 3]);
    expect(points.broken).toEqual([1]);
  });

  test('search', () => {
    const x = [1, 3, 3, 7];
    expect([0, 1, 2, 3, 8].map((v) => lowerBound(x, v))).toEqual([0, 0, 1, 1, 4]);
    expect([0, 2, 4.9, 5.1, 99].map((v) => nearest(x, v))).toEqual([0, 0, 2, 3, 3]);
    expect(nearest([], 1)).toBe(-1);
  });
});

describe('column tables', () => {
  test('grow, slice, truncate', () => {
    const table = new ColumnTable(['a', 'b'], 1);
    for (let i = 0; i < 100; i++) table.push([i, i === 50 ? null : -i]);
    expect(table.column('b')[99]).toBe(-99);
    expect(table.column('b')[50]).toBeNaN();
    expect(table.slice(98)).toEqual({ a: Float64Array.of(98, 99), b: Float64Array.of(-98, -99) });
    table.truncate(2);
    table.append({ a: [7], b: [8] });
    expect(Array.from(table.column('a'))).toEqual([0, 1, 7]);
    expect(() => table.column('c')).toThrow();
  });

  test('thinning halves and keeps extremes in order', () => {
    const table = new ColumnTable(['x', 'y']);
    for (let i = 0; i < 101; i++) table.push([i, i === 40 ? 99 : i === 41 ? -99 : i % 3]);
    table.halve('y');
    expect(table.length).toBeLessThanOrEqual(52);
    expect(Array.from(table.column('y'))).toContain(99);
    expect(Array.from(table.column('y'))).toContain(-99);
    const x = table.column('x');
    expect(x.every((value, i) => i === 0 || value > x[i - 1]!)).toBe(true);
  });
});

test('numbers as people read them', () => {
  expect([count(266200), count(null), count(NaN)]).toEqual(['266,200', '–', '–']);
  expect([percent(0.0193), percent(0), percent(0.0001), percent(NaN), percent(null)]).toEqual([
    '1.93%',
    '0.00%',
    '0.010%',
    'NaN',
    '–',
  ]);
  expect([number(0.00001234), number(12345.678), number(3), number(Infinity)]).toEqual(
    ['1.23e-5', '1.235e4', '3', '∞'].map((v, i) => (i === 1 ? '12350' : v)),
  );
  expect([tick(52000), tick(1500000), tick(0.5)]).toEqual(['52k', '1.5M', '0.5']);
  expect([duration(45), duration(200), duration(3000), duration(7500)]).toEqual([
    '45 s',
    '3 min 20 s',
    '50 min',
    '2 h 5 min',
  ]);
  expect([clock(65), clock(7400)]).toEqual(['1:05', '2:03:20']);
});
