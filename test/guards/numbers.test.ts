/** Numbers are written, and shapes multiplied, in one module each: a second one would write the same figure differently. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const sources = execFileSync('git', ['ls-files', 'daemon/**.ts', 'extension/**.ts', 'webview/**.ts'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n'); // prettier-ignore

/** Files other than `home` that contain the pattern, outside texts of programs that run elsewhere. */
const elsewhere = (pattern: RegExp, ...home: string[]): string[] =>
  sources.filter((file) => !home.includes(file) && pattern.test(readFileSync(join(root, file), 'utf8')));

test('significant digits, exponents and thousands are written by daemon/protocol/format.ts', () => {
  expect(sources.length).toBeGreaterThan(500);
  // The probe's text is a separate program that imports nothing.
  const probe = 'daemon/engine/compiled/probe.ts';
  expect(elsewhere(/\.toPrecision\(|\.toExponential\(|NumberFormat\(/, 'daemon/protocol/format.ts', probe)).toEqual([]);
});

test('so are percentages', () => {
  // A width of a style sheet is not a figure.
  const style = 'webview/layerCard/layers.ts';
  expect(elsewhere(/\.toFixed\([^)]*\)\}?%|100 \* \w+\)?\}?%`/, 'daemon/protocol/format.ts', style)).toEqual([]);
});

test('the number of elements of a shape is computed by daemon/protocol/shape.ts', () => {
  const product = /\.reduce\(\(\w+, \w+\) => \w+ \* \w+, 1\)/;
  // The gain of merged channels multiplies values, not sizes.
  expect(elsewhere(product, 'daemon/protocol/shape.ts', 'daemon/model/layerClasses/merging/elementwise.ts')).toEqual(
    [],
  );
});

test('so are strides', () => {
  expect(elsewhere(/\.map\(\(_, (\w+)\) => sizeOf\(\w+\.slice\(\1 \+ 1\)\)\)/, 'daemon/protocol/shape.ts')).toEqual([]);
});
