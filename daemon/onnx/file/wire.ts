/**
 * Protocol buffers read in place (protobuf.dev/programming-guides/encoding): every length is checked against the message around
 * it, bytes are views of the file, and nothing here calls itself.
 */
import { UserError } from '../../protocol/errors.js';

/** A file of the ONNX kind in memory, with the name that messages give it. */
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

/** A name of the file in a message: one line, however long or odd it is. */
export const quoted = (name: string): string => JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}...` : name);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whole numbers from here on mean "to the end": exporters write the largest int64 where a Slice has none. */
const UNBOUNDED = 2 ** 62;

/**
 * A 64-bit whole number, or the double nearest to it, as a number: exact below 2^53; from 2^62 on, where it means "without end",
 * ±Number.MAX_SAFE_INTEGER.
 * @param fail for those between, which a number does not hold.
 */
export function asWhole(value: number, fail: (problem: string) => never): number {
  if (Number.isSafeInteger(value)) return value;
  if (Math.abs(value) >= UNBOUNDED) return Math.sign(value) * Number.MAX_SAFE_INTEGER;
  return fail(`the whole number ${value}, which is beyond 2^53`);
}

/** Wire types. Groups (3 and 4) are in no ONNX file. */
const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];

/** Walks the fields of one message: `next` moves on, and the value is asked for by what it is. */
export class WireReader {
  readonly bytes: Uint8Array;
  /** Of the field at hand. */
  field = 0;
  #type = 0;
  /** Where its tag begins. */
  fieldStart = 0;
  /** Behind the tag: where the value begins, or its length. */
  tagEnd = 0;
  /** Its value: of a message or text, without the length before it. */
  start: number;
  end: number;
  #low = 0;
  #high = 0;
  #at: number;

  constructor(
    readonly file: OnnxBytes,
    start = 0,
    /** Behind the message's last byte. */
    readonly limit = file.bytes.length,
  ) {
    this.bytes = file.bytes;
    this.#at = this.start = this.end = start;
  }

  /** @throws UserError('model-invalid') always: the bytes are no message. */
  damaged(problem: string): never {
    return invalid(this.file.path, `is damaged at byte ${this.fieldStart}: ${problem}; copy or export it again`);
  }

  /** Moves to the next field; false behind the last. @throws UserError('model-invalid') where the message is cut off. */
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

  /** A whole number as the file's 64 bits, low and high word, both unsigned. */
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

  /** Whether the field holds many numbers at once, or a message or text. */
  get isBytes(): boolean {
    return this.#type === BYTES;
  }

  #expect(type: number): void {
    if (this.#type !== type) this.damaged(`field ${this.field} is of another type than ONNX's`);
  }

  /** Exact below 2^53, the nearest double beyond. */
  #signed = (): number => (this.#high | 0) * 2 ** 32 + this.#low;

  #unsigned = (): number => this.#high * 2 ** 32 + this.#low;

  /** An int64, see asWhole. @throws UserError('model-invalid') where a number does not hold it. */
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

  /** A name. @throws UserError('model-invalid') unless it is UTF-8. */
  name(): string {
    this.#expect(BYTES);
    if (this.end - this.start > 65536) this.damaged('a name of more than 65536 bytes');
    // Nearly all are ASCII, which a Buffer makes a string of in a tenth of the time.
    for (let at = this.start; at < this.end; at++) if (this.bytes[at]! > 127) return this.#utf8Name();
    return this.file.buffer.toString('latin1', this.start, this.end);
  }

  #utf8Name(): string {
    try {
      return utf8.decode(this.view());
    } catch {
      return this.damaged('a name that is no UTF-8');
    }
  }

  /** Bytes that are text by custom; what is not UTF-8 is replaced. */
  text(): string {
    this.#expect(BYTES);
    return this.file.buffer.toString('utf8', this.start, this.end);
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

  /** The next int64 of a range without fields; see `packed`. @throws as int. */
  packedInt(): number {
    this.fieldStart = this.#at;
    this.#varint();
    return this.#bounded(this.#signed());
  }

  /** The same of a uint64. */
  packedUint(): number {
    this.fieldStart = this.#at;
    this.#varint();
    return this.#bounded(this.#unsigned());
  }

  /** Where the values of a repeated number lie, one or many, appended as [start, end]. */
  pieces(ranges: number[], fixed: 0 | 4 | 8): void {
    if (this.#type !== BYTES) this.#expect(fixed === 0 ? VARINT : fixed === 4 ? FIXED32 : FIXED64);
    else if (fixed > 0 && (this.end - this.start) % fixed !== 0)
      this.damaged(`field ${this.field} holds no whole numbers`);
    ranges.push(this.start, this.end);
  }
}
