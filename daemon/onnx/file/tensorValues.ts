/** Reads the numbers of a tensor: floats are widened to 32 bits (doubles stay), whole numbers become doubles. */
import { bfloat16, float16 } from '../../files/halfPrecision.js';
import type { OnnxType } from './onnxModel.js';
import { FIXED, type Kind } from './tensorTypes.js';
import { asWhole, type OnnxBytes, WireReader } from './wire.js';

type Numbers = Float32Array | Float64Array;
type Fail = (problem: string) => never;

function filled<T extends Numbers>(into: T, read: (i: number) => number): T {
  for (let i = 0; i < into.length; i++) into[i] = read(i);
  return into;
}

/**
 * Reads values in the machine's byte order, little-endian: as a view of the file if their alignment allows it.
 * @param bytes of exactly `count` values of the type. @param fail is called if a whole number is beyond 2^53.
 */
export function rawNumbers(bytes: Uint8Array, type: OnnxType, count: number, fail: Fail): Numbers {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const floats = (width: 4 | 8): Numbers => {
    const of = width === 4 ? Float32Array : Float64Array;
    if (bytes.byteOffset % width === 0) return new of(bytes.buffer as ArrayBuffer, bytes.byteOffset, count);
    const copy = new of(count);
    new Uint8Array(copy.buffer).set(bytes);
    return copy;
  };
  const narrow = (read: (i: number) => number) => filled(new Float32Array(count), read);
  const wholes = (read: (i: number) => number) => filled(new Float64Array(count), read);
  const low = (i: number): number => view.getUint32(8 * i, true);
  switch (type) {
    case 'float': return floats(4);
    case 'double': return floats(8);
    case 'float16': return narrow((i) => float16(view.getUint16(2 * i, true)));
    case 'bfloat16': return narrow((i) => bfloat16(view.getUint16(2 * i, true)));
    case 'int8': return wholes((i) => view.getInt8(i));
    case 'uint8': return wholes((i) => bytes[i]!);
    case 'bool': return wholes((i) => (bytes[i] === 0 ? 0 : 1));
    case 'int16': return wholes((i) => view.getInt16(2 * i, true));
    case 'uint16': return wholes((i) => view.getUint16(2 * i, true));
    case 'int32': return wholes((i) => view.getInt32(4 * i, true));
    case 'uint32': return wholes((i) => view.getUint32(4 * i, true));
    case 'int64': return wholes((i) => asWhole(view.getInt32(8 * i + 4, true) * 2 ** 32 + low(i), fail));
    case 'uint64': return wholes((i) => asWhole(view.getUint32(8 * i + 4, true) * 2 ** 32 + low(i), fail));
    case 'string':
    case 'other': throw new Error(`${type} has no numbers`);
  } // prettier-ignore
}

/**
 * Reads values in a field of their type (float_data, int32_data...), whose count was checked.
 * @param pieces ranges of bytes of the file, [start, end, start, end...].
 */
export function typedNumbers(
  file: OnnxBytes,
  pieces: readonly number[],
  kind: Kind,
  count: number,
  fail: Fail,
): Numbers {
  const { type, field, range } = kind;
  const into = ['int64', 'uint64', 'double'].includes(type) || (range && !/float16$/.test(type)) ? new Float64Array(count) : new Float32Array(count); // prettier-ignore
  const { view } = file;
  const width = FIXED[field];
  const widen = type === 'float16' ? float16 : type === 'bfloat16' ? bfloat16 : (value: number) => value;
  let next = 0;
  for (let i = 0; i < pieces.length; i += 2) {
    const [start, end] = [pieces[i]!, pieces[i + 1]!];
    if (width > 0) {
      for (let at = start; at < end; at += width)
        into[next++] = width === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
      continue;
    }
    for (const reader = new WireReader(file, start, end); !reader.done;) {
      const value = field === 'uint64_data' ? reader.packedUint() : reader.packedInt();
      if (range && (value < range[0] || value > range[1])) fail(`its value ${value} is no ${type}`);
      into[next++] = widen(value);
    }
  }
  return into;
}
