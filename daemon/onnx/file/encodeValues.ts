/** Encodes numbers as bytes of a tensor's number type, the reverse of tensorValues.ts. */
import { toBfloat16, toFloat16 } from '../../files/halfPrecision.js';
import { varint } from '../emit/message.js';
import type { Kind } from './tensorTypes.js';

type Fail = (problem: string) => never;

/** Rounds a value to a number of the type, ties to even. @param fail is called if the type has no such number. */
function held(value: number, { type, range }: Kind, fail: Fail): number {
  if (type === 'float') return Math.fround(value);
  if (type === 'double') return value;
  if (type === 'float16' || type === 'bfloat16') {
    const bits = type === 'float16' ? toFloat16(value) : toBfloat16(value);
    if (Number.isFinite(value) && (bits & (type === 'float16' ? 0x7c00 : 0x7f80)) === (type === 'float16' ? 0x7c00 : 0x7f80))
      fail(`the new value ${value} is beyond what ${type} holds; keep the model's weights in float32`); // prettier-ignore
    return bits;
  }
  const [least, most] = range ?? [type === 'uint64' ? 0 : -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  return Number.isInteger(value) && value >= least && value <= most ? value : fail(`the new value ${value} is no ${type}`); // prettier-ignore
}

/** The number as 64 bits. The largest number, which stands for "without end", becomes the largest of the type. */
const wide = (value: number, unsigned: boolean): bigint =>
  Math.abs(value) < Number.MAX_SAFE_INTEGER ? BigInt(value) : BigInt(Math.sign(value)) * (2n ** (unsigned ? 64n : 63n) - 1n); // prettier-ignore

/** Bytes for raw_data: little-endian, one after the other. @throws through `fail` for values that the type cannot hold. */
export function encodeRaw(values: ArrayLike<number>, kind: Kind, fail: Fail): Uint8Array {
  const { type, size } = kind;
  if (type === 'float' && values instanceof Float32Array) return new Uint8Array(values.slice().buffer);
  const view = new DataView(new ArrayBuffer(values.length * size));
  for (let i = 0; i < values.length; i++) {
    const value = held(values[i]!, kind, fail);
    const at = i * size;
    if (type === 'float') view.setFloat32(at, value, true);
    else if (type === 'double') view.setFloat64(at, value, true);
    else if (size === 1) view.setUint8(at, value);
    else if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt.asUintN(64, wide(value, type === 'uint64')), true);
  }
  return new Uint8Array(view.buffer);
}

/** One value in the type's own field: float_data, int32_data... */
export function encodeTyped(value: number, kind: Kind, fail: Fail): Uint8Array {
  const { field } = kind;
  const number = held(value, kind, fail);
  if (field === 'float_data') return new Uint8Array(Float32Array.of(number).buffer);
  if (field === 'double_data') return new Uint8Array(Float64Array.of(number).buffer);
  return varint(field === 'int32_data' ? number : wide(number, kind.type === 'uint64'));
}
