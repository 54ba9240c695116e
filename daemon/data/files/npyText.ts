import { sha256 } from './arrayFile.js';
import { invalidData, shapeText } from '../dataError.js';
import { checkNpySize, parseNpyHeader } from './npy.js';
import { readPlainObjects } from './npyObjects.js';
import type { LabelTargets } from '../rawDataset.js';

/** NumPy's texts: "U7" seven characters of four bytes, "S7" seven bytes. Shorter ones end in zeros. */
const TEXT = /^([US])(\d+)$/;
const MAX_CHARACTERS = 1 << 16;

export interface TextLabels {
  readonly size: number;
  readonly targets: LabelTargets;
  readonly hash: string;
}

/**
 * The labels of a .npy array of texts (or of Python objects that are texts or whole numbers), such as np.array(["cat", "dog"]), numbered in sorted
 * order.
 * @returns null if the array is not of texts. @throws UserError('data-invalid').
 */
export function parseNpyText(name: string, bytes: Uint8Array): TextLabels | null {
  const header = parseNpyHeader(name, bytes);
  if (header.code.startsWith('O')) return objectLabels(name, bytes, header);
  const type = TEXT.exec(header.code);
  if (!type) return null;
  const characters = Number(type[2]);
  const width = characters * (type[1] === 'U' ? 4 : 1);
  if (characters > MAX_CHARACTERS)
    throw invalidData(
      name,
      `texts of up to ${characters} characters are no labels; name another array in "data.labels"`,
    );
  checkNpySize(name, header, width, bytes.length);
  const [size = 1, ...rest] = header.shape;
  if (header.shape.length === 0 || rest.some((n) => n !== 1) || size === 0)
    throw invalidData(name, `labels of the shape ${shapeText(header.shape)}: one text per sample is needed`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + header.offset, size * width);
  const textAt = (i: number): string => {
    if (type[1] === 'S') {
      const end = bytes.indexOf(0, header.offset + i * width);
      const limit = header.offset + (i + 1) * width;
      return Buffer.from(bytes.subarray(limit - width, end >= 0 && end < limit ? end : limit)).toString('utf8');
    }
    let text = '';
    for (let at = i * width; at < (i + 1) * width; at += 4) {
      const code = view.getUint32(at, header.littleEndian);
      if (code === 0) break;
      if (code > 0x10ffff) throw invalidData(name, `label ${i} is no text; save the array again`);
      text += String.fromCodePoint(code);
    }
    return text;
  };
  return textLabels(
    name,
    Array.from({ length: size }, (_, i) => textAt(i)),
  );
}

function textLabels(name: string, stored: readonly string[]): TextLabels {
  const texts = stored.map((text) => text.trim());
  const empty = texts.indexOf('');
  if (empty >= 0) throw invalidData(name, `sample ${empty} has an empty text where a label is needed`, 'labels');
  const names = [...new Set(texts)].sort();
  const number = new Map(names.map((text, i) => [text, i]));
  const labels = Int32Array.from(texts, (text) => number.get(text)!);
  return {
    size: texts.length,
    targets: { kind: 'labels', labels, positions: 1, names, where: name },
    hash: sha256(...texts.map((t) => `${t}\n`)),
  };
}

/** One text, or one whole number, per sample. */
function objectLabels(
  name: string,
  bytes: Uint8Array,
  { shape, offset }: ReturnType<typeof parseNpyHeader>,
): TextLabels {
  const [size = 1, ...rest] = shape;
  if (shape.length === 0 || rest.some((n) => n !== 1) || size === 0)
    throw invalidData(name, `labels of the shape ${shapeText(shape)}: one text per sample is needed`);
  const values = readPlainObjects(name, bytes.subarray(offset), size);
  if (values.every((value) => typeof value === 'string')) return textLabels(name, values);
  const none = values.indexOf(null);
  const text = values.findIndex((value) => typeof value === 'string');
  if (none >= 0 || text >= 0)
    throw invalidData(
      name,
      none >= 0
        ? `sample ${none} has None where a label is needed; remove it`
        : `sample ${text} has the text ${JSON.stringify(values[text])} among numbers; save the labels as texts, y.astype(str)`,
      'labels',
    );
  const numbers = values.map(Number);
  const fraction = numbers.find((value) => !Number.isInteger(value) || Math.abs(value) > 0x7fffffff);
  if (fraction !== undefined)
    throw invalidData(name, `the label ${fraction} is no class; save numbers as such, y.astype("float32")`, 'labels');
  return {
    size,
    targets: { kind: 'labels', labels: Int32Array.from(numbers), positions: 1, where: name },
    hash: sha256(numbers.join('\n')),
  };
}
