/** Readers of SafeTensors and NumPy archives after their specifications, independent of the writers. */
import { inflateRawSync } from 'node:zlib';

export type Arrays = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: ArrayLike<number> }>;

const TYPES: Readonly<Record<string, (bytes: ArrayBuffer) => ArrayLike<number>>> = {
  F32: (bytes) => new Float32Array(bytes),
  '<f4': (bytes) => new Float32Array(bytes),
  '<i4': (bytes) => new Int32Array(bytes),
  '|b1': (bytes) => new Uint8Array(bytes),
  I32: (bytes) => new Int32Array(bytes),
};
const copy = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;

interface Entry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

/** github.com/huggingface/safetensors: header length (u64), JSON, data. */
export function readSafetensors(file: Buffer): Arrays {
  const begin = 8 + Number(file.readBigUInt64LE(0));
  const { __metadata__, ...tensors } = JSON.parse(file.toString('utf8', 8, begin)) as Record<string, Entry>;
  return new Map(
    Object.entries(tensors).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const data = TYPES[dtype]!(copy(file.subarray(begin + from, begin + to)));
        return [name, { shape, data }] as const;
      },
    ),
  );
}

/** numpy.lib.format version 1.0. Byte strings are left out. */
function readNpy(file: Buffer): { shape: number[]; data: ArrayLike<number> } | null {
  const begin = 10 + file.readUInt16LE(8);
  const header = file.toString('latin1', 10, begin);
  const [, descr] = /'descr': '([^']+)'/.exec(header)!;
  const [, dims] = /'shape': \(([^)]*)\)/.exec(header)!;
  const shape = dims!.split(',').filter((text) => text.trim() !== '').map(Number); // prettier-ignore
  return TYPES[descr!] ? { shape, data: TYPES[descr!]!(copy(file.subarray(begin))) } : null;
}

/** The entries of a zip archive, by its central directory (APPNOTE 4.3). */
export function readNpz(file: Buffer): Arrays {
  const arrays = new Map<string, { shape: number[]; data: ArrayLike<number> }>();
  const end = file.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  let at = file.readUInt32LE(end + 16);
  for (let n = file.readUInt16LE(end + 10); n > 0; n--) {
    const [method, size, nameLength, extra, comment] = [10, 20, 28, 30, 32].map((k) => k === 20 ? file.readUInt32LE(at + k) : file.readUInt16LE(at + k)); // prettier-ignore
    const name = file.toString('utf8', at + 46, at + 46 + nameLength!);
    const local = file.readUInt32LE(at + 42);
    const begin = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    const stored = file.subarray(begin, begin + size!);
    const array = readNpy(method === 8 ? inflateRawSync(stored) : stored);
    if (array) arrays.set(name.replace(/\.npy$/, ''), array);
    at += 46 + nameLength! + extra! + comment!;
  }
  return arrays;
}
