/** Protocol buffers as a tree of fields, so that any field at any depth can be made wrong. */
import { varint } from '../../../../daemon/onnx/emit/message.js';

/** A field: bytes that are a message themselves are walked too. */
export interface Field {
  number: number;
  type: number;
  /** Of fields of types 0, 1 and 5, and bytes that are not a message. */
  bytes: Uint8Array;
  fields: Field[] | null;
}

/** The fields of a message; null if the bytes are not a message. */
export function parse(bytes: Uint8Array, depth = 0): Field[] | null {
  const fields: Field[] = [];
  let at = 0;
  const number = (): number | null => {
    let [value, scale] = [0, 1];
    for (let i = 0; i < 10 && at < bytes.length; i++, scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return null;
  };
  while (at < bytes.length) {
    const tag = number();
    if (tag === null || tag < 8 || tag > 8 * 1000) return null;
    const [field, type] = [Math.floor(tag / 8), tag % 8];
    const start = at;
    if (type === 0) {
      if (number() === null) return null;
      fields.push({ number: field, type, bytes: bytes.subarray(start, at), fields: null });
      continue;
    }
    const length = type === 1 ? 8 : type === 5 ? 4 : type === 2 ? number() : null;
    if (length === null || at + length > bytes.length) return null;
    const content = bytes.subarray(at, at + length);
    at += length;
    const inner = type === 2 && length > 1 && depth < 8 ? parse(content, depth + 1) : null;
    fields.push({ number: field, type, bytes: content, fields: inner });
  }
  return fields;
}

export function encode(fields: readonly Field[]): Uint8Array {
  const parts = fields.flatMap(({ number, type, bytes, fields: inner }) => {
    const content = inner ? encode(inner) : bytes;
    return type === 2 ? [varint(number * 8 + type), varint(content.length), content] : [varint(number * 8 + type), content]; // prettier-ignore
  });
  return Buffer.concat(parts);
}

/** All lists of fields of a tree. */
export const listsOf = (fields: Field[]): Field[][] => [fields, ...fields.flatMap((one) => (one.fields ? listsOf(one.fields) : []))]; // prettier-ignore

export const copyOf = (field: Field): Field => ({ ...field, fields: field.fields && field.fields.map(copyOf) });

export const whole = (number: number, value: number | bigint): Field => ({ number, type: 0, bytes: varint(value), fields: null }); // prettier-ignore
export const text = (number: number, value: string): Field => ({ number, type: 2, bytes: new TextEncoder().encode(value), fields: null }); // prettier-ignore
export const message = (number: number, fields: Field[]): Field => ({ number, type: 2, bytes: new Uint8Array(0), fields }); // prettier-ignore

/** The text of a field; '' for other fields. A name that happens to be a message counts. */
export const textOf = ({ type, bytes, fields }: Field): string =>
  type === 2 ? Buffer.from(fields ? encode(fields) : bytes).toString('latin1') : '';

/** The value of a whole number as a signed 64-bit one. */
export function wholeOf({ bytes }: Field): bigint {
  let [value, shift] = [0n, 0n];
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
  }
  return BigInt.asIntN(64, value);
}
