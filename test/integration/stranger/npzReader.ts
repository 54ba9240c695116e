/** Reads numbers of an .npz by NumPy's format specification, independently of the product's reader. */
import { readFile } from 'node:fs/promises';
import { unzipSync } from 'fflate';
import type { Rows } from './teach.js';

export async function readArrays(path: string): Promise<Record<string, Rows>> {
  const members = unzipSync(await readFile(path));
  return Object.fromEntries(Object.entries(members).map(([name, bytes]) => [name.replace(/\.npy$/, ''), parse(bytes)]));
}

function parse(bytes: Uint8Array): Rows {
  const length = bytes[8]! + 256 * bytes[9]!;
  const header = Buffer.from(bytes.subarray(10, 10 + length)).toString('latin1');
  const descr = /'descr': '([^']+)'/.exec(header)![1]!;
  const dims = /'shape': \(([^)]*)\)/.exec(header)![1]!.split(',').filter((dim) => dim.trim() !== '').map(Number); // prettier-ignore
  const body = bytes.slice(10 + length).buffer;
  const types = { '<f4': Float32Array, '<i4': Int32Array, '|u1': Uint8Array } as const;
  return { shape: dims.slice(1), data: Float32Array.from(new types[descr as keyof typeof types](body)) };
}
