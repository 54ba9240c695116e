import { float16 } from '../../files/halfPrecision.js';

/** How numbers lie in a file. u: unsigned, i: signed integer, f: IEEE float; the digit is the width in bytes. */
export interface NumberFormat {
  readonly kind: 'bool' | 'u1' | 'i1' | 'u2' | 'i2' | 'u4' | 'i4' | 'u8' | 'i8' | 'f2' | 'f4' | 'f8';
  readonly littleEndian: boolean;
}

export function bytesPerNumber(format: NumberFormat): number {
  return format.kind === 'bool' ? 1 : Number(format.kind[1]);
}

/** Whether every value is a whole number in [0, 255]. */
export function isByteFormat(format: NumberFormat): boolean {
  return format.kind === 'u1' || format.kind === 'bool';
}

export function isFloatFormat(format: NumberFormat): boolean {
  return format.kind.startsWith('f');
}

const hostIsLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Converts `count` numbers at the start of `bytes` into `out[offset ..)`. 64-bit integers and doubles lose what the
 * element type of `out` cannot hold.
 */
export function decodeNumbers(
  bytes: Uint8Array,
  format: NumberFormat,
  count: number,
  out: Float32Array | Float64Array | Uint8Array,
  offset: number,
): void {
  const { kind, littleEndian } = format;
  if (kind === 'u1' || kind === 'bool') {
    out.set(bytes.subarray(0, count), offset);
    return;
  }
  if (kind === 'f4' && littleEndian === hostIsLittleEndian && bytes.byteOffset % 4 === 0) {
    out.set(new Float32Array(bytes.buffer, bytes.byteOffset, count), offset);
    return;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = bytesPerNumber(format);
  const read = reader(view, kind, littleEndian);
  for (let i = 0; i < count; i++) out[offset + i] = read(i * width);
}

function reader(view: DataView, kind: NumberFormat['kind'], le: boolean): (at: number) => number {
  switch (kind) {
    case 'bool':
    case 'u1':
      return (at) => view.getUint8(at);
    case 'i1':
      return (at) => view.getInt8(at);
    case 'u2':
      return (at) => view.getUint16(at, le);
    case 'i2':
      return (at) => view.getInt16(at, le);
    case 'u4':
      return (at) => view.getUint32(at, le);
    case 'i4':
      return (at) => view.getInt32(at, le);
    case 'u8':
      return (at) => Number(view.getBigUint64(at, le));
    case 'i8':
      return (at) => Number(view.getBigInt64(at, le));
    case 'f2':
      return (at) => float16(view.getUint16(at, le));
    case 'f4':
      return (at) => view.getFloat32(at, le);
    case 'f8':
      return (at) => view.getFloat64(at, le);
  }
}
