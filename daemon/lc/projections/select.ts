/**
 * Selection of the kappa largest magnitudes in O(n), without sorting. For finite floats the bits without the sign order
 * as the magnitudes do. A sample brackets the kappa-th largest within a few of the 2^16 bins that the upper bits make;
 * one pass over v collects the few per cent that fall into the bracket, histograms of their upper and lower bits find the
 * threshold exactly, and one pass writes theta. Should the bracket miss (the ranks in it are counted), the histogram of
 * all of v takes the sample's place.
 */

/** The bits of |x|: an integer in [0, 2^31) that orders as |x| does. */
export const MAGNITUDE_BITS = 0x7fffffff;
/** A magnitude's bin is its upper 16 bits: the exponent and 8 bits of the mantissa. */
export const LOW_BITS = 15;
export const BINS = 1 << 16;
/** Bins of the lower bits. */
export const LOW_BINS = 1 << LOW_BITS;
/** The bits of infinity; those of NaNs are larger. */
const INFINITE = 0x7f800000;
export const NON_FINITE_BIN = INFINITE >>> LOW_BITS;
const SAMPLES = 1 << 15;
const CHUNK = 1 << 14;
/** Standard deviations of the sampled rank on either side of the bracket. */
const BRACKET_SIGMAS = 5;

// Scratch memory is marked as pure in this room, so that a bundle that only names budgets, as the pages do, drops it.
const histogram = /* @__PURE__ */ new Uint32Array(BINS);
const lowHistogram = /* @__PURE__ */ new Uint32Array(LOW_BINS);
/** Reused scratch: positions and magnitude bits of the candidates in the bracket, in ascending order of position. */
let candidates = /* @__PURE__ */ new Uint32Array(0);
let candidateKeys = /* @__PURE__ */ new Int32Array(0);

/** The raw bits of a float array, sharing its memory. */
export const bitsOf = (v: Float32Array): Int32Array => new Int32Array(v.buffer, v.byteOffset, v.length);

/** @throws RangeError: every C step rejects a NaN or an infinity through this function. */
export function rejectNonFinite(v: Float32Array): never {
  const i = v.findIndex((x) => !Number.isFinite(x));
  throw new RangeError(`weight ${i} of ${v.length} is ${v[i]}; the C step needs finite weights`);
}

/** @throws RangeError as rejectNonFinite. */
export function requireFinite(v: Float32Array): void {
  let check = 0;
  for (let i = 0; i < v.length; i++) check += v[i]! - v[i]!;
  if (check !== 0) rejectNonFinite(v);
}

/** Allocates room for `size` candidates; keeps the first `used`. */
function reserveCandidates(size: number, used: number): void {
  const positions = new Uint32Array(size);
  positions.set(candidates.subarray(0, used));
  candidates = positions;
  const keys = new Int32Array(size);
  keys.set(candidateKeys.subarray(0, used));
  candidateKeys = keys;
}

/** The bin, from `top` down, that holds the item of rank `wanted` (1 is the largest), and how many items lie above it. */
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

/** Bins [low, high] that (probably) hold the magnitude of rank kappa. */
interface Bracket {
  readonly low: number;
  readonly high: number;
}

function exactBracket(bits: Int32Array, kappa: number): Bracket {
  histogram.fill(0);
  for (let i = 0; i < bits.length; i++) histogram[(bits[i]! & MAGNITUDE_BITS) >>> LOW_BITS]!++;
  const { bin } = cut(histogram, BINS - 1, kappa);
  return { low: bin, high: bin };
}

/** Estimated from a sample at the points of a Weyl sequence, which does not resonate with a period in the weights. */
function sampledBracket(bits: Int32Array, kappa: number): Bracket {
  const n = bits.length;
  histogram.fill(0);
  for (let k = 0; k < SAMPLES; k++) {
    const i = Math.floor(((Math.imul(k, 0x9e3779b9) >>> 0) / 4294967296) * n);
    histogram[(bits[i]! & MAGNITUDE_BITS) >>> LOW_BITS]!++;
  }
  const share = kappa / n;
  const rank = share * SAMPLES;
  const margin = BRACKET_SIGMAS * Math.sqrt(rank * (1 - share)) + BRACKET_SIGMAS;
  const high = rank - margin < 1 ? NON_FINITE_BIN - 1 : cut(histogram, BINS - 1, Math.floor(rank - margin)).bin;
  const low = rank + margin > SAMPLES ? 0 : cut(histogram, BINS - 1, Math.ceil(rank + margin)).bin;
  return { low, high: Math.max(low, high) };
}

/**
 * How many magnitudes lie above the bracket and how many in it; the latter's positions and bits go to `candidates` and
 * `candidateKeys`, for which each chunk finds room enough.
 */
function collect(v: Float32Array, bits: Int32Array, bracket: Bracket): { above: number; inside: number } {
  const low = bracket.low << LOW_BITS;
  const span = ((bracket.high - bracket.low + 1) << LOW_BITS) - 1;
  const total = { above: 0, inside: 0 };
  let finite = true;
  for (let start = 0; start < bits.length; start += CHUNK) {
    const end = Math.min(bits.length, start + CHUNK);
    const most = total.inside + end - start;
    if (most > candidates.length) reserveCandidates(Math.min(bits.length, 2 * most), total.inside);
    finite = collectChunk(bits, start, end, low, span, candidates, candidateKeys, total) && finite;
  }
  if (!finite) rejectNonFinite(v);
  return total;
}

/**
 * One chunk of `collect`; false if it contains a NaN or an infinity. Four at a time, and sign bits instead of branches: almost all of the time is
 * spent here and in zeroBelow.
 */
function collectChunk(
  bits: Int32Array,
  start: number,
  end: number,
  low: number,
  span: number,
  positions: Uint32Array,
  keys: Int32Array,
  total: { above: number; inside: number },
): boolean {
  const finite = INFINITE - 1 - low;
  let { inside } = total;
  let above = 0;
  let signs = 0;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const a = (bits[i]! & MAGNITUDE_BITS) - low;
    const b = (bits[i + 1]! & MAGNITUDE_BITS) - low;
    const c = (bits[i + 2]! & MAGNITUDE_BITS) - low;
    const d = (bits[i + 3]! & MAGNITUDE_BITS) - low;
    above -= ((span - a) >> 31) + ((span - b) >> 31) + ((span - c) >> 31) + ((span - d) >> 31);
    signs |= (finite - a) | (finite - b) | (finite - c) | (finite - d);
    if (a >>> 0 <= span) {
      positions[inside] = i;
      keys[inside++] = a + low;
    }
    if (b >>> 0 <= span) {
      positions[inside] = i + 1;
      keys[inside++] = b + low;
    }
    if (c >>> 0 <= span) {
      positions[inside] = i + 2;
      keys[inside++] = c + low;
    }
    if (d >>> 0 <= span) {
      positions[inside] = i + 3;
      keys[inside++] = d + low;
    }
  }
  for (; i < end; i++) {
    const offset = (bits[i]! & MAGNITUDE_BITS) - low;
    above -= (span - offset) >> 31;
    signs |= finite - offset;
    if (offset >>> 0 <= span) {
      positions[inside] = i;
      keys[inside++] = offset + low;
    }
  }
  total.inside = inside;
  total.above += above;
  return signs >= 0;
}

/**
 * The l0 projection: theta = v on the kappa largest |v|, 0 elsewhere. Ties go to the lowest index, so the result is
 * deterministic and idempotent. Reads v twice, writes theta once.
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
  if (kappa >= n || kappa === 0) {
    requireFinite(v);
    if (kappa === 0) theta.fill(0);
    else if (theta !== v) theta.set(v);
    return;
  }
  const bits = bitsOf(v);
  const sampled = n > 4 * SAMPLES;
  let found = collect(v, bits, sampled ? sampledBracket(bits, kappa) : exactBracket(bits, kappa));
  if (found.above >= kappa || found.above + found.inside < kappa) {
    found = collect(v, bits, exactBracket(bits, kappa));
  }
  const { threshold, ties } = thresholdAmong(found.inside, kappa - found.above);
  zeroBelow(bits, threshold, bitsOf(theta));
  let left = ties;
  for (let c = 0; c < found.inside; c++) {
    if (candidateKeys[c] === threshold && left-- <= 0) theta[candidates[c]!] = 0;
  }
}

/** output = the input if its magnitude bits reach the threshold, else +0. */
function zeroBelow(input: Int32Array, threshold: number, output: Int32Array): void {
  const n = input.length;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const a = input[i]!;
    const b = input[i + 1]!;
    const c = input[i + 2]!;
    const d = input[i + 3]!;
    // The shift gives all ones for a magnitude below the threshold.
    output[i] = a & ~(((a & MAGNITUDE_BITS) - threshold) >> 31);
    output[i + 1] = b & ~(((b & MAGNITUDE_BITS) - threshold) >> 31);
    output[i + 2] = c & ~(((c & MAGNITUDE_BITS) - threshold) >> 31);
    output[i + 3] = d & ~(((d & MAGNITUDE_BITS) - threshold) >> 31);
  }
  for (; i < n; i++) output[i] = input[i]! & ~(((input[i]! & MAGNITUDE_BITS) - threshold) >> 31);
}

/** The exact threshold among the candidates: all above it and the first `ties` equal to it make `wanted`. */
function thresholdAmong(count: number, wanted: number): { threshold: number; ties: number } {
  histogram.fill(0);
  for (let c = 0; c < count; c++) histogram[candidateKeys[c]! >>> LOW_BITS]!++;
  const upper = cut(histogram, NON_FINITE_BIN - 1, wanted);
  lowHistogram.fill(0);
  for (let c = 0; c < count; c++) {
    const key = candidateKeys[c]!;
    if (key >>> LOW_BITS === upper.bin) lowHistogram[key & (LOW_BINS - 1)]!++;
  }
  const lower = cut(lowHistogram, LOW_BINS - 1, wanted - upper.above);
  return { threshold: (upper.bin << LOW_BITS) | lower.bin, ties: wanted - upper.above - lower.above };
}

/** Number of non-zeros: the l0 "norm". */
export function countNonZeros(theta: Float32Array): number {
  let count = 0;
  for (let i = 0; i < theta.length; i++) if (theta[i]! !== 0) count++;
  return count;
}
