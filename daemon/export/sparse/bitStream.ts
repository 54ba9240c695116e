/** Bits in bytes: bit i of the stream is bit i mod 8 of byte i / 8, least significant first; numbers likewise. */

export class BitWriter {
  readonly bytes: Uint8Array;
  #at = 0;

  constructor(bits: number) {
    this.bytes = new Uint8Array(Math.ceil(bits / 8));
  }

  /** The `bits` low bits (0..32) of an unsigned `value`. */
  write(value: number, bits: number): void {
    for (let done = 0; done < bits;) {
      const used = this.#at & 7;
      const taken = Math.min(8 - used, bits - done);
      this.bytes[this.#at >>> 3]! |= ((value >>> done) & ((1 << taken) - 1)) << used;
      this.#at += taken;
      done += taken;
    }
  }

  /** `n` zeros and a one. */
  unary(n: number): void {
    this.#at += n;
    this.write(1, 1);
  }
}

export class BitReader {
  #at = 0;
  readonly #bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes begun so far. */
  get bytesRead(): number {
    return Math.ceil(this.#at / 8);
  }

  /** @throws RangeError past the end. */
  read(bits: number): number {
    if (this.#at + bits > 8 * this.#bytes.length) throw new RangeError('the bits end too early');
    let value = 0;
    for (let done = 0; done < bits;) {
      const used = this.#at & 7;
      const taken = Math.min(8 - used, bits - done);
      value |= ((this.#bytes[this.#at >>> 3]! >>> used) & ((1 << taken) - 1)) << done;
      this.#at += taken;
      done += taken;
    }
    return value >>> 0;
  }

  /** Zeros before the next one, at most `most`. @throws RangeError past the end or beyond `most`. */
  unary(most: number): number {
    let n = 0;
    while (this.read(1) === 0) if (++n > most) throw new RangeError('a gap leads past the end');
    return n;
  }
}

/** Bits of a number from 0 to n - 1. */
export const bitsFor = (n: number): number => (n <= 1 ? 0 : 32 - Math.clz32(n - 1));
