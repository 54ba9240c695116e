import { expect, test } from 'vitest';
import { bitmap, pageGrid, terminalGrid } from '../../../daemon/cli/previewView.js';
import type { Preview } from '../../../daemon/data/preview.js';

/** Two pictures of 4 x 3 x 3: one grey ramp, one with a red pixel in the second row. */
const values = [
  Array.from({ length: 36 }, (_, i) => Math.floor(i / 3) / 11),
  Array.from({ length: 36 }, (_, i) => (i === 3 * (1 * 3 + 2) ? 1 : 0)),
];
const preview: Preview = {
  description: 'tiny <set>',
  notes: ['scaled'],
  shape: [4, 3, 3],
  image: [4, 3, 3],
  minimum: 0,
  maximum: 1,
  samples: values.map((one, index) => ({ index, values: one, label: `class ${index}` })),
};

test('the bitmap of a sample has its pixels where the format puts them', () => {
  const file = bitmap(preview, preview.samples[1]!, preview.image!);
  expect(file.readUInt32LE(2)).toBe(file.length);
  // Rows are padded to four bytes; colours are stored blue first.
  const at = (y: number, x: number) => [...file.subarray(54 + y * 12 + 3 * x, 54 + y * 12 + 3 * x + 3)];
  expect(at(1, 2)).toEqual([0, 0, 255]);
  expect(at(2, 2)).toEqual([0, 0, 0]);
  const ramp = bitmap(preview, preview.samples[0]!, preview.image!);
  expect(ramp[54]).toBe(0);
  expect(ramp[54 + 3 * 12 + 3 * 2]).toBe(255);
});

test('the page escapes what the data says and needs nothing from elsewhere', () => {
  const page = pageGrid(preview);
  expect(page).toContain('tiny &lt;set&gt;');
  expect(page).not.toContain('<set>');
  expect(page.match(/<figcaption>class \d<\/figcaption>/g)).toHaveLength(2);
  expect(page).not.toMatch(/(src|href)="(?!data:)/);
});

test('the terminal grid has a label and half a line per row of pixels', () => {
  const lines = terminalGrid(preview, 80, false).split('\n');
  expect(lines).toHaveLength(1 + 2);
  expect(lines[0]).toMatch(/^cla {2}cla$/);
  // The ramp grows darker to lighter down the picture; the other is black but for the pixel.
  expect(lines[1]!.slice(0, 3)).not.toBe(lines[2]!.slice(0, 3));
  expect(terminalGrid(preview, 80, true)).toContain('\x1b[48;2;255;0;0m');
  const flat: Preview = { ...preview, image: null, shape: [36] };
  expect(terminalGrid(flat, 80, false).split('\n')[1]).toMatch(/^class 1 +0 0 0/);
});
