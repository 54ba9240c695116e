/**
 * Selection of the kappa largest magnitudes in O(n), without sorting. For finite floats the bits without the sign order
 * as the magnitudes do, so a histogram of their upper 16 bits finds the bin of the kappa-th largest (pass 1), one pass
 * writes the result and collects that bin's few members (pass 2), and a histogram of their lower 15 bits is exact.
 */

/** The bits of |x|: an integer in [0, 2^31) that orders as |x| does. */
export const MAGNITUDE_BITS = 0x7fffffff;
/** A magnitude's bin is its upper 16 bits: the exponent and 8 bits of the mantissa. */
export const LOW_BITS = 15;
export const BINS = 1 << 16;
const LOW_BINS = 1 << LOW_BITS;
/** The first bin of infinities and NaNs. */
export const NON_FINITE_BIN = 0x7f800000 >>> LOW_BITS;

const histogram = new Uint32Array(BINS);
const lowHistogram = new Uint32Array(LOW_BINS);
let candidates = new Uint32Array(1024);

/** The raw bits of a float array, sharing its memory. */
export const bitsOf = (v: Float32Array): Int32Array => new Int32Array(v.buffer, v.byteOffset, v.length);

/** @throws RangeError: the one way in which every C step refuses a NaN or an infinity. */
export function rejectNonFinite(v: Float32Array): never {
  const i = v.findIndex((x) => !Number.isFinite(x));
  throw new RangeError(`weight ${i} of ${v.length} is ${v[i]}; the C step needs finite weights`);
}

/** Reused scratch for the positions that fall into one bin. */
export function candidateScratch(size: number): Uint32Array {
  if (candidates.length < size) candidates = new Uint32Array(size);
  return candidates;
}

/** Position in a histogram, from the top: items above `bin` number `above` < wanted <= above + items in `bin`. */
function cut(counts: Uint32Array, top: number, wanted: number): { bin: number; above: number } {
  let above = 0;
  let bin = top;
  for (; bin > 0; bin--) {
    const next = above + counts[bin]!;
    if (next >= wanted) break;
    above = next;
  }
  return { bin, above };
}

/**
 * The l0 projection: theta = v on the kappa largest |v|, 0 elsewhere. Ties go to the lowest index, so the result is
 * deterministic and idempotent. Two passes over v, one over theta.
 * @param v finite weights.
 * @param kappa number kept, an integer >= 0; kappa >= v.length copies.
 * @param theta same length as v; may be v itself.
 * @throws RangeError on a NaN or an infinity (theta untouched), a bad kappa, or different lengths.
 */
export function keepLargest(v: Float32Array, kappa: number, theta: Float32Array): void {
  const n = v.length;
  if (theta.length !== n) throw new RangeError(`theta has ${theta.length} weights, v has ${n}`);
  if (!(kappa >= 0 && (kappa >= n || Number.isInteger(kappa)))) {
    throw new RangeError(`kappa must be an integer of at least 0, not ${kappa}`);
  }
  const input = bitsOf(v);
  histogram.fill(0);
  for (let i = 0; i < n; i++) histogram[(input[i]! & MAGNITUDE_BITS) >>> LOW_BITS]!++;
  for (let bin = NON_FINITE_BIN; bin < BINS; bin++) if (histogram[bin]! !== 0) rejectNonFinite(v);
  if (kappa >= n) {
    if (theta !== v) theta.set(v);
    return;
  }
  if (kappa === 0) {
    theta.fill(0);
    return;
  }

  const { bin, above } = cut(histogram, NON_FINITE_BIN - 1, kappa);
  const members = candidateScratch(histogram[bin]!);
  const output = bitsOf(theta);
  const low = bin << LOW_BITS;
  let count = 0;
  for (let i = 0; i < n; i++) {
    const x = input[i]!;
    const offset = (x & MAGNITUDE_BITS) - low;
    // offset >> 31 is all ones below the bin: no branch to mispredict.
    output[i] = x & ~(offset >> 31);
    if (offset >>> 0 < LOW_BINS) members[count++] = i;
  }

  const wanted = kappa - above;
  if (wanted === count) return;
  lowHistogram.fill(0);
  for (let c = 0; c < count; c++) lowHistogram[output[members[c]!]! & (LOW_BINS - 1)]!++;
  const exact = cut(lowHistogram, LOW_BINS - 1, wanted);
  let ties = wanted - exact.above;
  for (let c = 0; c < count; c++) {
    const i = members[c]!;
    const key = output[i]! & (LOW_BINS - 1);
    if (key > exact.bin) continue;
    if (key === exact.bin && ties > 0) ties--;
    else output[i] = 0;
  }
}

/** Number of non-zeros: the l0 "norm". */
export function countNonZeros(theta: Float32Array): number {
  let count = 0;
  for (let i = 0; i < theta.length; i++) if (theta[i]! !== 0) count++;
  return count;
}
