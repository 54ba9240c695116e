/** Values in the types of NumPy, written and read. */
import { parseNpy } from '../../../daemon/data/files/npy.js';
import { makeWorkspace, npyBytes } from './fixtures.js';

export const workspace = makeWorkspace();

export const here = { workspace: workspace.folder, seed: 1 } as const;

export async function valuesOf(descr: string, shape: number[], bytes: Uint8Array, fortran = false): Promise<number[]> {
  const { store } = parseNpy('a.npy', npyBytes(descr, shape, bytes, fortran));
  const out = new Float32Array(store.size * store.width);
  await store.gather(
    Uint32Array.from({ length: store.size }, (_, i) => i),
    0,
    store.size,
    out,
  );
  return [...out];
}

/** Six numbers in every element type, by DataView. */
export function encode(code: string, values: number[]): Uint8Array {
  const little = !code.startsWith('>');
  const kind = code.slice(1);
  const width = Number(kind.slice(1));
  const view = new DataView(new ArrayBuffer(values.length * width));
  values.forEach((value, i) => {
    const at = i * width;
    if (kind === 'u8') view.setBigUint64(at, BigInt(value), little);
    else if (kind === 'i8') view.setBigInt64(at, BigInt(value), little);
    else if (kind === 'f4') view.setFloat32(at, value, little);
    else if (kind === 'f8') view.setFloat64(at, value, little);
    else if (kind === 'u1' || kind === 'b1') view.setUint8(at, value);
    else if (kind === 'i1') view.setInt8(at, value);
    else if (kind === 'u2') view.setUint16(at, value, little);
    else if (kind === 'i2') view.setInt16(at, value, little);
    else if (kind === 'u4') view.setUint32(at, value, little);
    else view.setInt32(at, value, little);
  });
  return new Uint8Array(view.buffer);
}
