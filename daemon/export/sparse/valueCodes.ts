/** Lossless codes for the kept values. A section's values belong to consecutive parts (tensors). */
import { gridStep } from '../../lc/quantize.js';
import { bitsFor, type BitReader, type BitWriter } from './bitStream.js';

/** Values in file order, and the part each belongs to. */
export interface Values {
  readonly data: Float32Array;
  readonly partOf: (i: number) => number;
  readonly parts: number;
}

/** One code; `plan` returns null when it does not apply to the values. */
export interface ValueCode {
  readonly tag: number;
  readonly name: string;
  plan(values: Values): ValuePlan | null;
  /** @returns a reader of the value `i` of part `part`. @throws RangeError on a damaged table. */
  open(table: TableReader, parts: number): { readonly bits: number; read(from: BitReader, part: number): number };
}

export interface ValuePlan {
  readonly code: ValueCode;
  readonly table: Uint8Array;
  /** Per value. */
  readonly bits: number;
  write(out: BitWriter): void;
}

/** The next bytes of the file. @throws RangeError past the end. */
export type TableReader = (bytes: number) => DataView;

const bitsOf = new DataView(new ArrayBuffer(8));
function floatBits(value: number): number {
  bitsOf.setFloat32(0, value);
  return bitsOf.getUint32(0);
}
function bitsFloat(bits: number): number {
  bitsOf.setUint32(0, bits);
  return bitsOf.getFloat32(0);
}

export const float32: ValueCode = {
  tag: 0,
  name: 'float32',
  plan: ({ data }) => ({
    code: float32,
    table: new Uint8Array(0),
    bits: 32,
    write(out) {
      for (const value of data) out.write(floatBits(value), 32);
    },
  }),
  open: () => ({ bits: 32, read: (from) => bitsFloat(from.read(32)) }),
};

const MAX_CODES = 65_535;
export const codeBits = (codes: number): number => Math.max(1, bitsFor(codes));

/** At most 65,535 different values: a table of them, ascending, and an index per value. */
const codebook: ValueCode = {
  tag: 1,
  name: 'codebook',
  plan({ data }) {
    const index = new Map<number, number>();
    for (const value of data) {
      if (!index.has(value)) index.set(value, 0);
      if (index.size > MAX_CODES || Number.isNaN(value) || Object.is(value, -0)) return null;
    }
    const codes = Float32Array.from(index.keys()).sort();
    codes.forEach((code, i) => index.set(code, i));
    const table = new Uint8Array(2 + 4 * codes.length);
    const view = new DataView(table.buffer);
    view.setUint16(0, codes.length, true);
    codes.forEach((code, i) => view.setFloat32(2 + 4 * i, code, true));
    const bits = codeBits(codes.length);
    return {
      code: codebook,
      table,
      bits,
      write(out) {
        for (const value of data) out.write(index.get(value)!, bits);
      },
    };
  },
  open(table) {
    const count = table(2).getUint16(0, true);
    const view = table(4 * count);
    const codes = Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
    const bits = codeBits(count);
    return {
      bits,
      read(from) {
        const code = from.read(bits);
        if (code >= count) throw new RangeError('a code is not in the codebook');
        return codes[code]!;
      },
    };
  },
};

/** int8: a step (float64) per part, and q from -127 to 127 per value, which is fround(q * step). */
const grid: ValueCode = {
  tag: 2,
  name: 'int8',
  plan({ data, partOf, parts }) {
    const steps = new Float64Array(parts);
    // The values of a part follow each other.
    for (let from = 0, to = 0; from < data.length; from = to) {
      const part = partOf(from);
      while (to < data.length && partOf(to) === part) to++;
      const step = gridStep(data.subarray(from, to));
      if (step === null) return null;
      steps[part] = step;
    }
    const table = new Uint8Array(8 * parts);
    const view = new DataView(table.buffer);
    steps.forEach((step, part) => view.setFloat64(8 * part, step, true));
    return {
      code: grid,
      table,
      bits: 8,
      write(out) {
        data.forEach((value, i) => out.write(Math.round(value / steps[partOf(i)]!) & 255, 8));
      },
    };
  },
  open(table, parts) {
    const view = table(8 * parts);
    return {
      bits: 8,
      read: (from, part) => Math.fround(((from.read(8) << 24) >> 24) * view.getFloat64(8 * part, true)),
    };
  },
};

export const VALUE_CODES: readonly ValueCode[] = [float32, codebook, grid];
