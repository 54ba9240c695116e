import { bitsOf } from './select.js';

/** Below this the built-in sort is as fast. */
const SMALL = 1 << 12;
/** Bits that one pass sorts by: the 31 of a positive float32 in three passes. */
const SHIFTS = [0, 11, 22] as const;
const DIGITS = 1 << 11;

/**
 * Sorts in place, largest first, in O(n): the bits of a float32 that is not negative order as its value does (radix sort, least
 * significant digit first).
 * @param values finite, none negative.
 */
export function sortDescending(values: Float32Array): Float32Array {
  const n = values.length;
  if (n < SMALL) return values.sort().reverse();
  const counts = new Uint32Array(DIGITS);
  let from: Int32Array = bitsOf(values);
  let to: Int32Array = new Int32Array(n);
  for (const shift of SHIFTS) {
    counts.fill(0);
    for (let i = 0; i < n; i++) counts[(from[i]! >>> shift) & (DIGITS - 1)]!++;
    for (let digit = DIGITS - 1, next = 0; digit >= 0; digit--) {
      const count = counts[digit]!;
      counts[digit] = next;
      next += count;
    }
    for (let i = 0; i < n; i++) {
      const x = from[i]!;
      to[counts[(x >>> shift) & (DIGITS - 1)]!++] = x;
    }
    [from, to] = [to, from];
  }
  // After an odd number of passes the result is in the other array.
  bitsOf(values).set(from);
  return values;
}
