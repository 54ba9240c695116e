import { expect, test } from 'vitest';
import { bitmap, pageGrid, terminalGrid } from '../../../daemon/cli/previewView.js';
import type { InputPreview, Preview } from '../../../daemon/data/preview.js';

/** Two pictures of 4 x 3 x 3: one grey ramp, one with a red pixel in the second row. */
const values = [
  Array.from({ length: 36 }, (_, i) => Math.floor(i / 3) / 11),
  Array.from({ length: 36 }, (_, i) => (i === 3 * (1 * 3 + 2) ? 1 : 0)),
];
const input: InputPreview = {
  name: 'photo',
  shape: [4, 3, 3],
  image: [4, 3, 3],
  minimum: 0,
  maximum: 1,
  values: values.map((one) => Float32Array.from(one)),
};
const preview: Preview = {
  description: 'tiny <set>',
  notes: ['scaled'],
  inputs: [input],
  samples: values.map((_, index) => ({ index, label: `class ${index}` })),
};

test('the bitmap of a sample has its pixels in the places of the format', () => {
  const file = bitmap(input, input.values[1]!, input.image!);
  expect(file.readUInt32LE(2)).toBe(file.length);
  // Rows are padded to four bytes; colours are stored blue first.
  const at = (y: number, x: number) => [...file.subarray(54 + y * 12 + 3 * x, 54 + y * 12 + 3 * x + 3)];
  expect(at(1, 2)).toEqual([0, 0, 255]);
  expect(at(2, 2)).toEqual([0, 0, 0]);
  const ramp = bitmap(input, input.values[0]!, input.image!);
  expect(ramp[54]).toBe(0);
  expect(ramp[54 + 3 * 12 + 3 * 2]).toBe(255);
});

test('the page escapes texts of the data and loads nothing from elsewhere', () => {
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
  const flat: Preview = { ...preview, inputs: [{ ...input, image: null, shape: [36] }] };
  expect(terminalGrid(flat, 80, false).split('\n')[1]).toMatch(/^class 1 +0 0 0/);
});

test('every input of a model with several is shown, under its name', () => {
  const age: InputPreview = {
    ...{ name: 'age <years>', shape: [2], image: null, minimum: 1, maximum: 40 },
    values: [Float32Array.of(1, 40), Float32Array.of(7, 30)],
  };
  const both: Preview = { ...preview, inputs: [input, age] };
  const lines = terminalGrid(both, 80, false).split('\n');
  expect(lines).toEqual(['photo:', ...terminalGrid(preview, 80, false).split('\n'), 'age <years>:', expect.stringMatching(/^class 0 +1 40$/), expect.stringMatching(/^class 1 +7 30$/)]); // prettier-ignore
  const page = pageGrid(both);
  expect(page.match(/<figure><img [^>]*alt="photo"[^>]*>\n<code>\d+ \d+<\/code><figcaption>/g)).toHaveLength(2);
  expect(page).toContain('As the model sees it: photo [4, 3, 3], values from 0 to 1.');
  expect(page).toContain('As the model sees it: age &lt;years&gt; [2], values from 1 to 40.');
});
