/** Writing NumPy's .npy (format version 1.0) and .npz, a zip of them. */
import { zipSync } from 'fflate';

/** A plain array, C order. `descr` as NumPy names types: "<f4", "<i4", "|b1", "|S3". */
export interface NpyArray {
  readonly descr: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const bytesOf = (data: Float32Array | Int32Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

export const floats = (data: Float32Array, shape: readonly number[]): NpyArray => ({ descr: '<f4', shape, bytes: bytesOf(data) }); // prettier-ignore
export const ints = (data: Int32Array): NpyArray => ({ descr: '<i4', shape: [data.length], bytes: bytesOf(data) });
export const bools = (data: Uint8Array, shape: readonly number[]): NpyArray => ({ descr: '|b1', shape, bytes: data });
/** A zero-dimensional array of one byte string. */
export const byteString = (text: string): NpyArray => {
  const bytes = Buffer.from(text, 'latin1');
  return { descr: `|S${bytes.length}`, shape: [], bytes };
};

export function npyFile({ descr, shape, bytes }: NpyArray): Uint8Array {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${dims}), }`;
  // Magic, version and length take 10 bytes; the data begins at a multiple of 64.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(length, 8);
  return Buffer.concat([head, Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1'), bytes]);
}

/** Members of one date, so that the same arrays give the same file. */
export function npzFile(arrays: Readonly<Record<string, NpyArray>>): Uint8Array {
  const members = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, npyFile(array)] as const);
  return zipSync(Object.fromEntries(members), { level: 9, mtime: new Date(1980, 0, 1) });
}
