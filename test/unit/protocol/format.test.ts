/** The one way to write counts, sizes, shares and times; and that nothing else writes them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  bytes,
  clock,
  count,
  countOf,
  duration,
  figure,
  microseconds,
  number,
  orDash,
  percent,
  percentTick,
  planPercent,
  points,
  rounded,
  scientific,
  shortCount,
  shortPercent,
  significant,
  tick,
  times,
} from '../../../daemon/protocol/format.js';

it.each([
  [count, 266_200, '266,200'],
  [shortCount, 9_999, '9,999'],
  [shortCount, 10_000, '10k'],
  [shortCount, 533_220, '533k'],
  [shortCount, 999_600, '1M'],
  [shortCount, 1.234e9, '1.23G'],
  [shortCount, -52_000, '-52k'],
  [bytes, 0, '0 B'],
  [bytes, 1023, '1023 B'],
  [bytes, 1024, '1 kB'],
  [bytes, 15_872, '15.5 kB'],
  [bytes, 1_066_440, '1.02 MB'],
  [bytes, 1000 * 1024, '1000 kB'],
  [bytes, 1023.9 * 1024, '1 MB'],
  [bytes, 3 * 2 ** 30, '3 GB'],
  [percent, 0.01, '1.00%'],
  [percent, 0.00042, '0.042%'],
  [percent, 0, '0.00%'],
  [shortPercent, 0.01, '1%'],
  [shortPercent, 0.8835, '88.35%'],
  [shortPercent, 0.00425, '0.43%'],
  [shortPercent, 0.00042, '0.042%'],
  [duration, 0.4, '0 s'],
  [duration, 59.7, '1 min'],
  [duration, 61, '1 min 1 s'],
  [duration, 200, '3 min 20 s'],
  [duration, 3000, '50 min'],
  [duration, 3599.9, '1 h'],
  // 1 h 59 min 45 s must not become "1 h 60 min".
  [duration, 7185, '2 h'],
  [duration, 7500, '2 h 5 min'],
  [microseconds, 12.34, '12.3 µs'],
  [microseconds, 1234, '1.23 ms'],
  [times, 13.0412, '13'],
  [significant, 13.0412, '13.04'],
  [significant, 0.5, '0.5'],
  [scientific, 0.00012345, '1.23e-4'],
  [scientific, 123456, '1.23e5'],
  [figure, 0.5, '0.500'],
  [figure, NaN, 'no finite number'],
  [number, 12345.678, '12350'],
  [number, -Infinity, '−∞'],
  [tick, 52_000, '52k'],
  [tick, 0.0005, '5e-4'],
  [planPercent, 0.012345, '1.2345%'],
  // In floating point 100 * 0.07 is 7.000000000000001.
  [planPercent, 0.07, '7%'],
  [percentTick, 0.1, '10%'],
  [points, 0.012, '1.2'],
  [points, -0.0000123, '0.001'],
  [clock, 65, '1:05'],
  [clock, 7400, '2:03:20'],
] as [(value: number) => string, number, string][])('%o of %d is %s', (format, value, text) => {
  expect(format(value)).toBe(text);
});

it('a table has a dash where there is no figure', () => {
  expect([null, undefined, NaN, 1024].map((value) => orDash(value, bytes))).toEqual(['-', '-', '-', '1 kB']);
});

it('rounding keeps significant digits', () => {
  expect([rounded(0.012345, 3), rounded(98765, 2), rounded(0, 4)]).toEqual([0.0123, 99000, 0]);
});

it('nothing else groups digits, or divides by 1,000 or 1,024 to name a unit', () => {
  const found: string[] = [];
  for (const room of ['daemon', 'extension', 'webview'])
    for (const entry of readdirSync(room, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || !/\.ts$/.test(path) || path === join('daemon', 'protocol', 'format.ts')) continue;
      const text = readFileSync(path, 'utf8');
      if (/toLocaleString\('en-US'\)|Intl\.NumberFormat|\['', 'k', 'M'|'kB', 'MB'|`\$\{[^`]*\} (kB|MB|GB)`/.test(text))
        found.push(path);
    }
  expect(found).toEqual([]);
});

it('a number of things is one thing, or things', () => {
  expect([0, 1, 2, 1234].map((n) => countOf(n, 'weight'))).toEqual(['0 weights', '1 weight', '2 weights', '1,234 weights']); // prettier-ignore
});
