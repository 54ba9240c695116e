/** The one way to write counts, sizes, shares and times; and that nothing else writes them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  bytes,
  count,
  duration,
  microseconds,
  percent,
  shortCount,
  shortPercent,
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
  // 1 h 59 min 45 s is no "1 h 60 min".
  [duration, 7185, '2 h'],
  [duration, 7500, '2 h 5 min'],
  [microseconds, 12.34, '12.3 µs'],
  [microseconds, 1234, '1.23 ms'],
  [times, 13.0412, '13'],
] as [(value: number) => string, number, string][])('%o of %d is %s', (format, value, text) => {
  expect(format(value)).toBe(text);
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
