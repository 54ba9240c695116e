/** Samples of a data set: half blocks in a terminal, or pictures in a page of its own. */
import type { InputPreview, Preview } from '../data/preview.js';
import { pixelColours } from '../data/images/samplePicture.js';
import { significant } from '../protocol/format.js';

type Image = NonNullable<InputPreview['image']>;

const SHADES = ' .:-=+*#%@';

/**
 * A sample as lines of text, two rows of pixels a line; wide pictures are downsampled to `width` columns.
 * @param colour 24-bit colour escapes; without them one shade of characters per pixel pair.
 */
function drawing(input: InputPreview, values: Float32Array, image: Image, width: number, colour: boolean): string[] {
  const [rows, columns] = image;
  const pixel = pixelColours(input, values, image);
  const step = Math.max(1, Math.ceil(columns / width));
  const lines: string[] = [];
  for (let y = 0; y < rows; y += 2 * step) {
    let line = '';
    for (let x = 0; x < columns; x += step) {
      const upper = pixel(y * columns + x);
      const lower = y + step < rows ? pixel((y + step) * columns + x) : upper;
      const level = (upper[0] + upper[1] + upper[2] + lower[0] + lower[1] + lower[2]) / 6;
      line += colour
        ? `\x1b[38;2;${upper.join(';')}m\x1b[48;2;${lower.join(';')}m▀`
        : SHADES[Math.min(SHADES.length - 1, Math.floor((level / 256) * SHADES.length))];
    }
    lines.push(colour ? `${line}\x1b[0m` : line);
  }
  return lines;
}

const pad = (text: string, width: number): string => text.slice(0, width).padEnd(width);

/** "[28, 28], values from 0 to 1", with the input's name where there are several. */
export const inputFacts = ({ name, shape, minimum, maximum }: InputPreview, several: boolean): string =>
  `${several ? `${name} ` : ''}[${shape.join(', ')}], values from ${significant(minimum)} to ${significant(maximum)}`;

/** The grid for a terminal of `columns` characters, one below the other where the model has several inputs. */
export function terminalGrid({ inputs, samples }: Preview, columns: number, colour: boolean): string {
  const labels = samples.map(({ label }) => label);
  if (inputs.length === 1) return inputGrid(inputs[0]!, labels, columns, colour);
  return inputs.map((input) => `${input.name}:\n${inputGrid(input, labels, columns, colour)}`).join('\n');
}

/** Samples that are not pictures are lines: label, then values. */
function inputGrid(input: InputPreview, labels: readonly string[], columns: number, colour: boolean): string {
  const { image, values: samples } = input;
  if (!image)
    return samples
      .map((values, i) => {
        const shown = [...values.subarray(0, 12)].map((value) => significant(value));
        return `${pad(labels[i]!, 16)} ${shown.join(' ')}${values.length > 12 ? ' ...' : ''}`;
      })
      .join('\n');
  const width = Math.ceil(image[1] / Math.max(1, Math.ceil(image[1] / 32)));
  const perRow = Math.max(1, Math.floor((columns + 2) / (width + 2)));
  const blocks: string[] = [];
  for (let from = 0; from < samples.length; from += perRow) {
    const row = samples.slice(from, from + perRow);
    const drawn = row.map((values) => drawing(input, values, image, 32, colour));
    blocks.push(row.map((_, i) => pad(labels[from + i]!, width)).join('  '));
    for (let line = 0; line < drawn[0]!.length; line++) blocks.push(drawn.map((lines) => lines[line]!).join('  '));
  }
  return blocks.join('\n');
}

/** An uncompressed 24-bit BMP: every browser decodes it, and it needs no encoder library. */
export function bitmap(input: InputPreview, values: Float32Array, image: Image): Buffer {
  const [rows, columns] = image;
  const pixel = pixelColours(input, values, image);
  const stride = (3 * columns + 3) & ~3;
  const file = Buffer.alloc(54 + rows * stride);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(columns, 18);
  // Negative: the first row is the top one.
  file.writeInt32LE(-rows, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const [red, green, blue] = pixel(y * columns + x);
      file.set([blue, green, red], 54 + y * stride + 3 * x);
    }
  return file;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

/** A self-contained page: nothing is loaded and nothing runs in it. */
export function pageGrid(preview: Preview): string {
  const { description, notes, samples, inputs } = preview;
  const cells = samples.map((sample, i) => {
    const bodies = inputs.map((input) => {
      const { image } = input;
      const values = input.values[i]!;
      return image
        ? `<img alt="${escaped(input.name)}" width="${4 * image[1]}" height="${4 * image[0]}" src="data:image/bmp;base64,${bitmap(input, values, image).toString('base64')}">`
        : `<code>${[...values.subarray(0, 100)].map((value) => significant(value)).join(' ')}</code>`;
    });
    return `<figure>${bodies.join('\n')}<figcaption>${escaped(sample.label)}</figcaption></figure>`;
  });
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escaped(description)}</title>
<style>
body { font: 14px system-ui, sans-serif; margin: 2em; color-scheme: light dark; }
main { display: flex; flex-wrap: wrap; gap: 1em; }
figure { margin: 0; max-width: 40em; }
figure > * { display: block; }
img { image-rendering: pixelated; max-width: 16em; height: auto; }
</style>
</head>
<body>
<h1>${escaped(description)}</h1>
${inputs.map((input) => `<p>As the model sees it: ${escaped(inputFacts(input, inputs.length > 1))}.</p>`).join('\n')}
${notes.map((note) => `<p>${escaped(note)}</p>`).join('\n')}
<main>
${cells.join('\n')}
</main>
</body>
</html>
`;
}
