/** The values that a cell of a CSV or parquet table can hold. */
import { sizeOf } from '../../protocol/shape.js';

export type Cell =
  | string
  | number
  | bigint
  | boolean
  | Date
  | null
  | undefined
  | Uint8Array
  | readonly Cell[]
  | { readonly [field: string]: Cell };

/** NaN unless the whole text is a decimal number. */
export function parseNumber(text: string): number {
  const trimmed = text.trim();
  // Number() also accepts "0x1F", "0b1" and "0o7"; a zero with a letter behind it is checked.
  if (trimmed === '' || (trimmed.charCodeAt(0) === 0x30 && /^0[box]/i.test(trimmed))) return NaN;
  return Number(trimmed);
}

export function isNumeric(text: string): boolean {
  return Number.isFinite(parseNumber(text));
}

/** "True", "false": what pandas writes for booleans. */
export function isBoolean(text: string): boolean {
  return /^\s*(true|false)\s*$/i.test(text);
}

/** A list in a parquet column, whatever its container. */
export function isList(cell: Cell): cell is readonly Cell[] {
  return Array.isArray(cell) || (ArrayBuffer.isView(cell) && !(cell instanceof Uint8Array));
}

/** [] for a single value, [28, 28] for 28 lists of 28. Inner lists are taken to be as long as the first. */
export function cellShape(cell: Cell): number[] {
  return isList(cell) ? [cell.length, ...(cell.length > 0 ? cellShape(cell[0]) : [])] : [];
}

/** @returns NaN if it is not a number. */
export function numberOf(cell: Cell): number {
  if (typeof cell === 'string') {
    const value = parseNumber(cell);
    return Number.isNaN(value) && isBoolean(cell) ? Number(/true/i.test(cell)) : value;
  }
  if (typeof cell === 'number' || typeof cell === 'bigint' || typeof cell === 'boolean') return Number(cell);
  return NaN;
}

/**
 * Writes the numbers of a cell, lists in order.
 * @returns the position of the first value that is not a finite float32, or -1; null if the cell does not have this shape.
 */
export function writeNumbers(cell: Cell, shape: readonly number[], out: Float32Array, at: number): number | null {
  if (shape.length === 0) {
    if (isList(cell)) return null;
    out[at] = numberOf(cell);
    return Number.isFinite(out[at]) ? -1 : 0;
  }
  if (!isList(cell) || cell.length !== shape[0]) return null;
  const inner = shape.slice(1);
  const width = sizeOf(inner);
  for (let i = 0; i < cell.length; i++) {
    const bad = writeNumbers(cell[i], inner, out, at + i * width);
    if (bad === null) return null;
    if (bad >= 0) return i * width + bad;
  }
  return -1;
}

/** The text of a label; '' if it is empty. */
export function textOf(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (cell instanceof Uint8Array) return Buffer.from(cell).toString('utf8').trim();
  return String(cell).trim();
}

/** Texts that programs write for a missing value. */
export function isMissing(cell: Cell): boolean {
  return /^(nan|na|n\/a|null|none|\?|-)?$/i.test(textOf(cell));
}

/** A cell as shown in messages. */
export function shownCell(cell: Cell): string {
  if (cell === null || cell === undefined || (typeof cell === 'string' && cell.trim() === '')) return 'an empty cell';
  if (cell instanceof Uint8Array) return `${cell.length} bytes`;
  if (isList(cell)) return `a list of ${cell.length}`;
  if (typeof cell === 'object' && !(cell instanceof Date)) return `a structure of ${Object.keys(cell).join(', ')}`;
  if (cell instanceof Date) return `the date ${cell.toISOString()}`;
  return `${JSON.stringify(String(cell).slice(0, 40))}${isMissing(cell) ? ' (a missing value)' : ''}`;
}

/** The first bytes of PNG, JPEG, GIF, TIFF, BMP and WebP files; WebP has its length between. */
const MAGIC = ['\x89PNG', '\xff\xd8\xff', 'GIF8', 'II*\0', 'MM\0*'];
/** Two letters, a size and four zeros: text may begin with the two letters. */
const BMP = /^BM[^]{4}\0{4}/;

function isImage(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  return (
    MAGIC.some((magic) => head.startsWith(magic)) ||
    BMP.test(head) ||
    (head.startsWith('RIFF') && head.endsWith('WEBP'))
  );
}

/** An image file: the cell itself, or the "bytes" of a structure, as Hugging Face's data sets store images. */
export function imageIn(cell: Cell): Uint8Array | null {
  if (cell instanceof Uint8Array) return isImage(cell) ? cell : null;
  if (typeof cell !== 'object' || cell === null || isList(cell) || cell instanceof Date) return null;
  const { bytes } = cell as { bytes?: Cell };
  return bytes instanceof Uint8Array && isImage(bytes) ? bytes : null;
}
