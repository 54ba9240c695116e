import { createHash } from 'node:crypto';
import { closeSync, openSync, read as readCallback } from 'node:fs';
import { promisify } from 'node:util';
import { UserError } from '../../protocol/errors.js';
import { sizeOf } from '../../protocol/shape.js';
import { refuseNonFinite, type ArrayFile } from './arrayFile.js';
import { invalidData } from '../dataError.js';
import { bytesPerNumber, decodeNumbers, isByteFormat, isFloatFormat, type NumberFormat } from './numberFormat.js';
import { type SampleStore } from '../batches/sampleStore.js';
import type { SourceFile } from './sourceFile.js';

const read = promisify(readCallback);
/** Adjacent rows are read together, up to this many bytes. */
const READ_BYTES = 4 * 1024 * 1024;

/**
 * An array too large for memory: rows are read from the file as they are asked for. The whole file is read once here, for
 * its hash and to find NaN and infinity before a run starts.
 * @param offset where the values begin, in bytes; C order.
 */
export async function fileStore(
  file: SourceFile,
  offset: number,
  format: NumberFormat,
  shape: readonly number[],
): Promise<ArrayFile> {
  if (sizeOf(shape) === 0) throw invalidData(file.name, `the array is empty (${shape.join(' x ')})`);
  const store = openRows(file, offset, format, shape);
  try {
    return { name: file.name, store, integers: !isFloatFormat(format), hash: await scan(file, store, format, shape) };
  } catch (error) {
    store.close();
    throw error;
  }
}

export interface RowFile extends SampleStore {
  /** Raw bytes of consecutive rows; valid until the next call. */
  readRows(start: number, count: number): Promise<Uint8Array>;
  readonly rowsPerRead: number;
}

/** Rows of a file, in C order from `offset` bytes on, read on request. */
export function openRows(file: SourceFile, offset: number, format: NumberFormat, shape: readonly number[]): RowFile {
  const descriptor = openSync(file.path, 'r');
  const [size = 0, ...rowShape] = shape;
  const width = sizeOf(rowShape);
  const rowBytes = width * bytesPerNumber(format);
  const rowsPerRead = Math.max(1, Math.floor(READ_BYTES / rowBytes));
  let open = true;
  const readRows = async (start: number, count: number): Promise<Uint8Array> => {
    const bytes = Buffer.allocUnsafeSlow(count * rowBytes);
    for (let done = 0; done < bytes.length;) {
      const position = offset + start * rowBytes + done;
      const { bytesRead } = await read(descriptor, bytes, done, bytes.length - done, position);
      if (bytesRead === 0)
        throw new UserError('disk', `${file.name}: the file became shorter while it was in use`, { file: file.name });
      done += bytesRead;
    }
    return bytes;
  };
  return {
    size,
    shape: rowShape,
    width,
    bytes: isByteFormat(format),
    resident: false,
    rowsPerRead,
    readRows,
    async gather(indices, from, count, out) {
      for (let k = 0; k < count;) {
        const first = indices[from + k]!;
        let run = 1;
        while (run < rowsPerRead && k + run < count && indices[from + k + run] === first + run) run++;
        decodeNumbers(await readRows(first, run), format, run * width, out, k * width);
        k += run;
      }
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

async function scan(file: SourceFile, store: RowFile, format: NumberFormat, shape: readonly number[]): Promise<string> {
  const hash = createHash('sha256').update(`${format.kind} ${shape.join(' ')}\n`);
  const values = new Float32Array(store.rowsPerRead * store.width);
  for (let start = 0; start < store.size; start += store.rowsPerRead) {
    const count = Math.min(store.rowsPerRead, store.size - start);
    const bytes = await store.readRows(start, count);
    hash.update(bytes);
    if (!isFloatFormat(format)) continue;
    decodeNumbers(bytes, format, count * store.width, values, 0);
    refuseNonFinite(file.name, values.subarray(0, count * store.width), start, store.width);
  }
  return hash.digest('hex');
}
