/**
 * The IDX format of the MNIST files (http://yann.lecun.com/exdb/mnist/): two zero bytes, an element type, the number of
 * dimensions, the dimensions as big-endian uint32, then the values in C order, big-endian.
 */
import { gunzipSync } from 'node:zlib';
import { countText, invalidData } from '../dataError.js';
import { fileStore } from './fileStore.js';
import type { ArrayFile } from './arrayFile.js';
import { checkedArray } from './arrayFile.js';
import { bytesPerNumber, type NumberFormat } from './numberFormat.js';
import { readHead, readSource, statSource, type SourceFile } from './sourceFile.js';
import { sizeOf } from '../../protocol/shape.js';

const TYPES: Record<number, NumberFormat['kind']> = { 8: 'u1', 9: 'i1', 11: 'i2', 12: 'i4', 13: 'f4', 14: 'f8' };
const MAX_DIMENSIONS = 8;

export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** Whether the first bytes are an IDX header (uncompressed). */
export function looksLikeIdx(head: Uint8Array): boolean {
  return head.length >= 4 && head[0] === 0 && head[1] === 0 && TYPES[head[2]!] !== undefined && head[3]! > 0;
}

interface IdxHeader {
  readonly format: NumberFormat;
  readonly shape: readonly number[];
  readonly offset: number;
}

function parseHeader(name: string, head: Uint8Array): IdxHeader {
  if (!looksLikeIdx(head))
    throw invalidData(
      name,
      'this is not an IDX file: it must start with 0, 0, a type (8, 9, 11 to 14) and the number of dimensions',
    );
  const kind = TYPES[head[2]!]!;
  const rank = head[3]!;
  if (rank > MAX_DIMENSIONS)
    throw invalidData(name, `an IDX header with ${rank} dimensions; at most ${MAX_DIMENSIONS} make sense`);
  const offset = 4 + 4 * rank;
  if (head.length < offset) throw invalidData(name, `the IDX header is cut off after ${head.length} bytes`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  return { format: { kind, littleEndian: false }, shape, offset };
}

function checkSize(name: string, header: IdxHeader, bytes: number): void {
  const expected = header.offset + sizeOf(header.shape) * bytesPerNumber(header.format);
  if (bytes === expected) return;
  throw invalidData(
    name,
    `the header promises ${header.shape.join(' x ')} values (${countText(expected)} bytes), but the file has ${countText(bytes)}: it is ${bytes < expected ? 'cut short' : 'too long'}; get the file again`,
  );
}

/** An IDX array in memory. @throws UserError('data-invalid') on anything but exactly one well-formed array. */
export function parseIdx(name: string, bytes: Uint8Array): ArrayFile {
  const header = parseHeader(name, bytes);
  checkSize(name, header, bytes.length);
  return checkedArray(name, bytes.subarray(header.offset), header.format, header.shape);
}

/**
 * Reads an IDX file, plain or gzip-compressed. A plain file above `memoryLimit` bytes stays on disk and is read row by row.
 */
export async function readIdx(file: SourceFile, memoryLimit: number): Promise<ArrayFile> {
  const head = readHead(file, 4 + 4 * MAX_DIMENSIONS);
  if (isGzip(head)) return parseIdx(file.name, gunzip(file.name, await readSource(file), memoryLimit));
  const { bytes } = await statSource(file);
  if (bytes <= memoryLimit) return parseIdx(file.name, await readSource(file));
  const header = parseHeader(file.name, head);
  checkSize(file.name, header, bytes);
  return fileStore(file, header.offset, header.format, header.shape);
}

function gunzip(name: string, bytes: Uint8Array, memoryLimit: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: memoryLimit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw invalidData(
        name,
        `more than ${countText(memoryLimit)} bytes when decompressed: decompress it on disk (gunzip), then it is streamed`,
      );
    throw invalidData(name, 'the gzip data is damaged or cut short; get the file again');
  }
}
