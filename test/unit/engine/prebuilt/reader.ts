/** Reads numbers and names from the bytes of a native file; all that is read here is little-endian. */
export class Reader {
  private readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8 = (at: number): number => this.view.getUint8(at);
  u16 = (at: number): number => this.view.getUint16(at, true);
  u32 = (at: number): number => this.view.getUint32(at, true);
  /** Of 64 bits. @throws RangeError if a double cannot hold it: no size or place in a file is that large. */
  u64(at: number): number {
    const value = this.view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`${value} at byte ${at} is no place in a file`);
    return Number(value);
  }

  /** Text up to a zero byte. */
  text(at: number, longest = Infinity): string {
    let end = at;
    while (end < at + longest && this.bytes[end]! !== 0) end++;
    return Buffer.from(this.bytes.subarray(at, end)).toString('latin1');
  }
}

/** What a native file asks of the system that loads it, and what it offers. */
export interface NativeFile {
  /** Names of the libraries it is loaded with. */
  libraries: string[];
  /** Names of the functions that it calls in them, or in the program that loads it; sorted. */
  imports: string[];
  /** Names of the functions that others may call in it; sorted. */
  exports: string[];
}
