/**
 * NumPy's .npy format (NEP 1, versions 1 to 3): magic, version, header length, a Python dictionary with dtype, order and
 * shape, then the values.
 */
import { checkedArray, type ArrayFile } from './arrayFile.js';
import { countText, invalidData } from '../dataError.js';
import { fileStore } from './fileStore.js';
import { bytesPerNumber, type NumberFormat } from './numberFormat.js';
import { readHead, readSource, statSource, type SourceFile } from './sourceFile.js';
import { sizeOf } from '../../protocol/shape.js';

const MAGIC = '\x93NUMPY';
/** NumPy pads the header of plain arrays to 128 bytes at most; anything near this limit is not a plain array. */
const MAX_HEADER = 65536;
const MAX_DIMENSIONS = 8;
const KINDS = new Set(['b1', 'u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8', 'f2', 'f4', 'f8']);

interface NpyHeader {
  /** NumPy's code of the element type without its byte order: "f4", "U7". */
  readonly code: string;
  readonly littleEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the values begin, in bytes. */
  readonly offset: number;
}

/** The header of an array of any type. @throws UserError('data-invalid'). */
export function parseNpyHeader(name: string, head: Uint8Array): NpyHeader {
  if (Buffer.from(head.subarray(0, 6)).toString('latin1') !== MAGIC)
    throw invalidData(name, 'this is not a .npy file (it does not start with \\x93NUMPY)');
  const version = head[6] ?? 0;
  if (version < 1 || version > 3) throw invalidData(name, `.npy version ${version} is not known (1 to 3 are)`);
  const start = version === 1 ? 10 : 12;
  if (head.length < start) throw invalidData(name, 'the .npy header is cut short; get the file again');
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER || start + length > head.length)
    throw invalidData(name, 'the .npy header is cut short or too long; get the file again');
  const text = Buffer.from(head.subarray(start, start + length)).toString('latin1');
  return { ...parseDictionary(name, text), offset: start + length };
}

function parseDictionary(name: string, text: string): Omit<NpyHeader, 'offset'> {
  const type = /'descr'\s*:\s*'([<>|=]?)([A-Za-z]\d*)'/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const dimensions = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text);
  if (!type || !order || !dimensions)
    throw invalidData(name, 'the .npy header is not that of a plain numeric array; save one with numpy.save');
  const [, endian, code = ''] = type;
  const shape = dimensions[1]!
    .split(',')
    .map((part) => part.trim().replace(/L$/, ''))
    .filter((part) => part !== '')
    .map(Number);
  if (shape.length > MAX_DIMENSIONS)
    throw invalidData(name, `the array has ${shape.length} dimensions; at most ${MAX_DIMENSIONS} make sense`);
  if (!shape.every(Number.isSafeInteger))
    throw invalidData(name, `the .npy header has the impossible shape (${dimensions[1]})`);
  return { code, littleEndian: endian !== '>', fortranOrder: order[1] === 'True', shape };
}

interface NumberHeader extends NpyHeader {
  readonly format: NumberFormat;
}

function parseHeader(name: string, head: Uint8Array): NumberHeader {
  const header = parseNpyHeader(name, head);
  const { code, littleEndian } = header;
  if (code.startsWith('O'))
    throw invalidData(name, 'the array holds Python objects (pickle); save plain numbers, such as x.astype("float32")');
  if (!KINDS.has(code))
    throw invalidData(name, `the array has dtype "${code}"; save it as numbers, such as x.astype("float32")`);
  const kind = (code === 'b1' ? 'bool' : code) as NumberFormat['kind'];
  return { ...header, format: { kind, littleEndian } };
}

/** @param width bytes of an element. */
export function checkNpySize(name: string, header: NpyHeader, width: number, bytes: number): void {
  const expected = header.offset + sizeOf(header.shape) * width;
  if (bytes === expected) return;
  throw invalidData(
    name,
    `the header promises ${header.shape.join(' x ')} values (${countText(expected)} bytes), but there are ${countText(bytes)}: the array is ${bytes < expected ? 'cut short' : 'too long'}; save it again`,
  );
}

/** A .npy array in memory, in C order. @throws UserError('data-invalid') on anything but one plain numeric array. */
export function parseNpy(name: string, bytes: Uint8Array): ArrayFile {
  const header = parseHeader(name, bytes);
  checkNpySize(name, header, bytesPerNumber(header.format), bytes.length);
  const values = bytes.subarray(header.offset);
  const ordered = header.fortranOrder ? toRowMajor(values, bytesPerNumber(header.format), header.shape) : values;
  return checkedArray(name, ordered, header.format, header.shape);
}

/** Reads a .npy file; above `memoryLimit` bytes it stays on disk and is read row by row. */
export async function readNpy(file: SourceFile, memoryLimit: number): Promise<ArrayFile> {
  const { bytes } = await statSource(file);
  if (bytes <= memoryLimit) return parseNpy(file.name, await readSource(file));
  const header = parseHeader(file.name, readHead(file, MAX_HEADER));
  checkNpySize(file.name, header, bytesPerNumber(header.format), bytes);
  if (header.fortranOrder && header.shape.length > 1)
    throw invalidData(
      file.name,
      'an array larger than memory must be in C order to be read row by row: save numpy.ascontiguousarray(x)',
    );
  return fileStore(file, header.offset, header.format, header.shape);
}

/** Fortran (column-major) to C (row-major) order, by elements of `width` bytes. */
function toRowMajor(values: Uint8Array, width: number, shape: readonly number[]): Uint8Array {
  if (shape.length < 2) return values;
  const out = new Uint8Array(values.length);
  const strides: number[] = [];
  shape.reduce((stride, n, axis) => ((strides[axis] = stride), stride * n), 1);
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < out.length; to += width) {
    for (let b = 0; b < width; b++) out[to + b] = values[from * width + b]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      from += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
