/** Codes for the positions of kept weights among N. Positions ascend from 0 to N - 1. */
import { bitsFor, BitReader, BitWriter } from './bitStream.js';

export interface PositionCode {
  /** Its tag in the file. */
  readonly tag: number;
  readonly name: string;
  /** The code's parameter, one byte beside the tag, if it has one: the best value. */
  parameter?(positions: Uint32Array, size: number): number;
  /** Exact length. */
  bits(positions: Uint32Array, size: number, parameter: number): number;
  write(out: BitWriter, positions: Uint32Array, size: number, parameter: number): void;
  /** @throws RangeError on positions that do not ascend or exceed the size. */
  read(from: BitReader, count: number, size: number, parameter: number): Uint32Array;
}

/** Every position is kept (zeros too). */
const all: PositionCode = {
  tag: 0,
  name: 'all',
  bits: () => 0,
  write: () => undefined,
  read(_from, count, size) {
    if (count !== size) throw new RangeError('not all are kept');
    return Uint32Array.from({ length: size }, (_, i) => i);
  },
};

/** Each position in ceil(log2 N) bits: the size depends on the count alone. */
const fixed: PositionCode = {
  tag: 1,
  name: 'fixed',
  bits: (positions, size) => positions.length * bitsFor(size),
  write(out, positions, size) {
    for (const position of positions) out.write(position, bitsFor(size));
  },
  read(from, count, size) {
    const positions = new Uint32Array(count);
    let last = -1;
    for (let i = 0; i < count; i++) {
      const position = from.read(bitsFor(size));
      if (position <= last || position >= size) throw new RangeError('positions do not ascend');
      positions[i] = last = position;
    }
    return positions;
  },
};

/** One bit per position. */
const bitmask: PositionCode = {
  tag: 2,
  name: 'bitmask',
  bits: (_positions, size) => size,
  write(out, positions, size) {
    let next = 0;
    for (let i = 0; i < size; i++) {
      const kept = positions[next] === i;
      out.write(Number(kept), 1);
      if (kept) next++;
    }
  },
  read(from, count, size) {
    const positions = new Uint32Array(count);
    let found = 0;
    for (let i = 0; i < size; i++) if (from.read(1) === 1 && found++ < count) positions[found - 1] = i;
    if (found !== count) throw new RangeError('the mask has another number of ones');
    return positions;
  },
};

function riceBits(positions: Uint32Array, parameter: number): number {
  let bits = positions.length * (1 + parameter);
  let next = 0;
  for (const position of positions) {
    bits += (position - next) >>> parameter;
    next = position + 1;
  }
  return bits;
}

/** Rice code of the gaps between positions: gap >> k in unary, then its k low bits. k is the parameter. */
const gaps: PositionCode = {
  tag: 3,
  name: 'gaps',
  parameter(positions) {
    let best = 0;
    let fewest = Infinity;
    for (let k = 0; k < 31; k++) {
      const bits = riceBits(positions, k);
      if (bits >= fewest) break;
      [best, fewest] = [k, bits];
    }
    return best;
  },
  bits: (positions, _size, parameter) => riceBits(positions, parameter),
  write(out, positions, _size, parameter) {
    let next = 0;
    for (const position of positions) {
      const gap = position - next;
      out.unary(gap >>> parameter);
      out.write(gap, parameter);
      next = position + 1;
    }
  },
  read(from, count, size, parameter) {
    if (parameter > 30) throw new RangeError('the parameter is above 30');
    const positions = new Uint32Array(count);
    let next = 0;
    for (let i = 0; i < count; i++) {
      const high = from.unary((size - next) >>> parameter);
      const position = next + high * 2 ** parameter + from.read(parameter);
      if (position >= size) throw new RangeError('a gap leads past the end');
      positions[i] = position;
      next = position + 1;
    }
    return positions;
  },
};

export const POSITION_CODES: readonly PositionCode[] = [all, fixed, bitmask, gaps];
export const allPlaces = all;
export const fixedWidth = fixed;
export const sparsePositionCodes: readonly PositionCode[] = [fixed, bitmask, gaps];
