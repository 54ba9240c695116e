/**
 * Reads protocol buffers in place (protobuf.dev/programming-guides/encoding). Every length is checked against the message around
 * it, bytes are views of the file, and no function here is recursive.
 */
import { UserError } from '../../protocol/errors.js';

/** A file of ONNX messages in memory, with its name for messages. */
export class OnnxBytes {
  readonly view: DataView;
  readonly buffer: Buffer;

  constructor(
    readonly bytes: Uint8Array,
    readonly path: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

/** @throws UserError('model-invalid') always. */
export function invalid(path: string, problem: string, field?: string): never {
  throw new UserError('model-invalid', `${path}: ${problem}`, {
    file: path,
    ...(field === undefined ? {} : { field }),
  });
}

/** Text of the file on one line of a message: characters that move a terminal's cursor or break a line are escaped. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Quotes a name of the file for a message: on one line, cut to a bounded length. */
export const quoted = (name: string): string =>
  // JSON leaves some of these characters as they are.
  printable(JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}...` : name));

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whole numbers from here on mean "to the end": exporters write the largest int64 for a Slice without an end. */
const UNBOUNDED = 2 ** 62;

/**
 * A 64-bit whole number, or the double nearest to it: exact below 2^53. From 2^62 on, where it means "without end", it is
 * ±Number.MAX_SAFE_INTEGER.
 * @param fail is called for numbers between the two, which a double cannot hold exactly.
 */
export function asWhole(value: number, fail: (problem: string) => never): number {
  if (Number.isSafeInteger(value)) return value;
  if (Math.abs(value) >= UNBOUNDED) return Math.sign(value) * Number.MAX_SAFE_INTEGER;
  return fail(`the whole number ${value}, which is beyond 2^53`);
}

/** Wire types. ONNX files have no groups (3 and 4). */
const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];

/** Walks the fields of one message. `next` moves on, and a method per type returns the value. */
export class WireReader {
  readonly bytes: Uint8Array;
  /** Number of the current field. */
  field = 0;
  #type = 0;
  /** Offset of its tag. */
  fieldStart = 0;
  /** Offset behind the tag: of the value, or of its length. */
  tagEnd = 0;
  /** Range of its value; for a message or text, without the length before it. */
  start: number;
  end: number;
  #low = 0;
  #high = 0;
  #at: number;

  constructor(
    readonly file: OnnxBytes,
    start = 0,
    /** Offset behind the message's last byte. */
    readonly limit = file.bytes.length,
  ) {
    this.bytes = file.bytes;
    this.#at = this.start = this.end = start;
  }

  /** @throws UserError('model-invalid') always: the bytes are not a message. */
  damaged(problem: string): never {
    return invalid(this.file.path, `is damaged at byte ${this.fieldStart}: ${problem}; copy or export it again`);
  }

  /** Moves to the next field; false behind the last. @throws UserError('model-invalid') if the message is cut off. */
  next(): boolean {
    if (this.#at >= this.limit) return false;
    this.fieldStart = this.#at;
    this.#varint();
    if (this.#high !== 0) this.damaged('a field number that is too large');
    this.field = this.#low >>> 3;
    this.#type = this.#low & 7;
    if (this.field === 0) this.damaged('field 0, which protocol buffers do not have');
    this.start = this.tagEnd = this.#at;
    if (this.#type === VARINT) this.#varint();
    else if (this.#type === FIXED64) this.#skip(8);
    else if (this.#type === FIXED32) this.#skip(4);
    else if (this.#type === BYTES) {
      this.#varint();
      this.start = this.#at;
      this.#skip(this.#high * 2 ** 32 + this.#low);
    } else this.damaged(`field ${this.field} of a type that ONNX does not use`);
    this.end = this.#at;
    return true;
  }

  /** Whether the range is read to its end. */
  get done(): boolean {
    return this.#at >= this.limit;
  }

  /** Reads a whole number as the file's 64 bits: low and high word, both unsigned. */
  #varint(): void {
    let [low, high] = [0, 0];
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.limit) this.damaged('it ends inside a number');
      const byte = this.bytes[this.#at++]!;
      const seven = byte & 127;
      if (shift < 28) low |= seven << shift;
      else if (shift === 28) {
        low |= seven << 28;
        high |= seven >> 4;
      } else if (shift < 63) high |= seven << (shift - 32);
      else high |= seven << 31;
      if (byte < 128) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    this.damaged('a number of more than ten bytes');
  }

  #skip(length: number): void {
    if (length > this.limit - this.#at) this.damaged(`field ${this.field} is longer than what is around it`);
    this.#at += length;
  }

  /** Whether the field holds packed numbers, or a message or text. */
  get isBytes(): boolean {
    return this.#type === BYTES;
  }

  #expect(type: number): void {
    if (this.#type !== type) this.damaged(`field ${this.field} is of another type than ONNX's`);
  }

  /** Exact below 2^53, the nearest double beyond. */
  #signed = (): number => (this.#high | 0) * 2 ** 32 + this.#low;

  #unsigned = (): number => this.#high * 2 ** 32 + this.#low;

  /** An int64, see asWhole. @throws UserError('model-invalid') if a double cannot hold it. */
  int(): number {
    this.#expect(VARINT);
    return this.#bounded(this.#signed());
  }

  #bounded = (value: number): number => asWhole(value, (problem) => this.damaged(problem));

  float(): number {
    this.#expect(FIXED32);
    return this.file.view.getFloat32(this.start, true);
  }

  /** The bytes, in place. */
  view(): Uint8Array {
    this.#expect(BYTES);
    return this.bytes.subarray(this.start, this.end);
  }

  /**
   * A name that messages and tables can show: without control characters and line breaks.
   * @throws UserError('model-invalid') for other names, and unless it is UTF-8.
   */
  name(): string {
    this.#expect(BYTES);
    if (this.end - this.start > 65536) this.damaged('a name of more than 65536 bytes');
    // Nearly all names are ASCII, which a Buffer decodes in a tenth of the time.
    let bits = 0;
    for (let at = this.start; at < this.end; at++) {
      const byte = this.bytes[at]!;
      bits |= byte;
      if (byte < 32 || byte === 127) this.damaged('a name with control characters');
    }
    return bits > 127 ? this.#utf8Name() : this.file.buffer.toString('latin1', this.start, this.end);
  }

  #utf8Name(): string {
    try {
      const name = utf8.decode(this.view());
      if (!/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) return name;
    } catch {
      this.damaged('a name that is no UTF-8');
    }
    return this.damaged('a name with control characters');
  }

  /** Bytes that are text by convention; invalid UTF-8 is replaced. */
  text(): string {
    this.#expect(BYTES);
    return this.file.buffer.toString('utf8', this.start, this.end);
  }

  /** The text for one line of a message. */
  line(): string {
    return this.text().replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 200); // prettier-ignore
  }

  /** A reader of the message in the field. */
  message(): WireReader {
    this.#expect(BYTES);
    return new WireReader(this.file, this.start, this.end);
  }

  /** Appends a repeated int64: one value, or many in one field (packed). @throws as int. */
  ints(values: number[]): void {
    if (this.#type !== BYTES) {
      values.push(this.int());
      return;
    }
    for (const reader = this.message(); !reader.done;) values.push(reader.packedInt());
  }

  /** Appends a repeated float in the same two ways. */
  floats(values: number[]): void {
    if (this.#type !== BYTES) {
      values.push(this.float());
      return;
    }
    if ((this.end - this.start) % 4 !== 0) this.damaged(`field ${this.field} holds no whole floats`);
    for (let at = this.start; at < this.end; at += 4) values.push(this.file.view.getFloat32(at, true));
  }

  /** The next int64 of a packed range; see `packed`. @throws as int. */
  packedInt(): number {
    this.fieldStart = this.#at;
    this.#varint();
    return this.#bounded(this.#signed());
  }

  /** The next uint64 of a packed range. */
  packedUint(): number {
    this.fieldStart = this.#at;
    this.#varint();
    return this.#bounded(this.#unsigned());
  }

  /** Appends the ranges of a repeated number's values, one or packed, as [start, end]. */
  pieces(ranges: number[], fixed: 0 | 4 | 8): void {
    if (this.#type !== BYTES) this.#expect(fixed === 0 ? VARINT : fixed === 4 ? FIXED32 : FIXED64);
    else if (fixed > 0 && (this.end - this.start) % fixed !== 0)
      this.damaged(`field ${this.field} holds no whole numbers`);
    ranges.push(this.start, this.end);
  }
}
