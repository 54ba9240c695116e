/** Encodes a varint; a negative number is its 64-bit two's complement. */
export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  if (typeof value === 'number' && value >= 0 && value < 2 ** 31) {
    let small = value;
    for (; small > 127; small >>= 7) bytes.push((small & 127) | 128);
    bytes.push(small);
    return Uint8Array.from(bytes);
  }
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

/**
 * A protocol buffers message under construction (protobuf.dev/programming-guides/encoding). Floats keep the machine's byte order,
 * which is little-endian wherever Node runs.
 */
export class Message {
  readonly #parts: Uint8Array[] = [];
  size = 0;

  #push(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    this.size += bytes.length;
    return this;
  }

  #varint(value: number): this {
    return this.#push(varint(value));
  }

  int(field: number, value: number): this {
    return this.#varint(field * 8).#varint(value);
  }

  float(field: number, value: number): this {
    return this.#varint(field * 8 + 5).#push(new Uint8Array(Float32Array.of(value).buffer));
  }

  double(field: number, value: number): this {
    return this.#varint(field * 8 + 1).#push(new Uint8Array(Float64Array.of(value).buffer));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#varint(field * 8 + 2)
      .#varint(value.length)
      .#push(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.finish());
  }

  messages<T>(field: number, values: Iterable<T>, encode: (value: T) => Message): this {
    for (const value of values) this.message(field, encode(value));
    return this;
  }

  finish(): Uint8Array {
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
