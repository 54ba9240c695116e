import type { Compression } from './compression.js';
import { nestedCodebook, ternaryScale } from './codebook.js';
import { countNonZeros, keepLargest, requireFinite } from './projections/select.js';

/** Cells of the grid over the codes that gives the start of the search for the nearest. */
const CELLS = 1 << 12;

/** The nearest of the codes (ascending, none 0, at least one) to a number. */
function nearestOf(codes: Float32Array): (x: number) => number {
  const last = codes.length - 1;
  const lowest = codes[0]!;
  const scale = last === 0 || codes[last]! === lowest ? 0 : CELLS / (codes[last]! - lowest);
  const from = (x: number, at: number): number => {
    while (at < last && x * 2 > codes[at]! + codes[at + 1]!) at++;
    return at;
  };
  const begin = new Uint16Array(CELLS);
  // Starts one cell lower, against rounding.
  if (scale > 0) for (let cell = 2; cell < CELLS; cell++) begin[cell] = from(lowest + (cell - 1) / scale, begin[cell - 1]!); // prettier-ignore
  return (x) => {
    const cell = (x - lowest) * scale;
    return codes[from(x, cell > 0 ? begin[cell < CELLS ? cell | 0 : CELLS - 1]! : 0)]!;
  };
}

/** Reduction of (x - theta)^2 by coding x as c instead of 0: x^2 - (x - c)^2. */
const gainOf = (x: number, c: number): number => c * (2 * x - c);

/**
 * Prune + quantize on given codes: theta_i in {0, codes}, ||theta||_0 <= kappa. The kappa largest positive gains x^2 - min_c (x - c)^2 are coded, the
 * rest is 0: exact, up to the rounding of gains to float32. `code` returns the best non-zero code of weight i.
 */
function keepLargestGains(
  v: Float32Array,
  kappa: number,
  code: (i: number, x: number) => number,
  gains: Float32Array,
  theta: Float32Array,
): void {
  for (let i = 0; i < v.length; i++) {
    const x = v[i]!;
    const c = code(i, x);
    gains[i] = Math.max(0, gainOf(x, c));
    theta[i] = c;
  }
  keepLargest(gains, kappa, gains);
  for (let i = 0; i < v.length; i++) if (gains[i] === 0) theta[i] = 0;
}

/** A compression to a codebook; `codes` are those of the last projection (ascending, without 0). */
export interface Quantization extends Compression {
  readonly codes: () => Float32Array;
}

/** Pruning and a codebook of K codes (and 0) learned in the same C step: the nested codebook of codebook.ts. */
export function learnedCodebook(K: number, kappa: number, size: number): Quantization {
  const gains = new Float32Array(size);
  let codes: Float32Array = new Float32Array(0);
  return {
    description: `l0 constraint, kappa = ${kappa} of ${size}, quantized to ${K} learned codes`,
    project(v, _mu, theta) {
      codes = nestedCodebook(v, K, kappa);
      if (codes.length === 0) theta.fill(0);
      else {
        const nearest = nearestOf(codes);
        keepLargestGains(v, kappa, (_i, x) => nearest(x), gains, theta);
      }
    },
    cost: countNonZeros,
    codes: () => codes,
  };
}

/** Pruning to {-s, 0, s} with the best s, exact. */
export function ternary(kappa: number, size: number): Quantization {
  const gains = new Float32Array(size);
  let scale = 0;
  return {
    description: `l0 constraint, kappa = ${kappa} of ${size}, ternary`,
    project(v, _mu, theta) {
      requireFinite(v);
      scale = ternaryScale(v, kappa);
      keepLargestGains(v, kappa, (_i, x) => (x < 0 ? -scale : scale), gains, theta);
    },
    cost: countNonZeros,
    codes: () => (scale > 0 ? Float32Array.of(-scale, scale) : new Float32Array(0)),
  };
}

/** The step of a symmetric int8 grid over v: max |v| = 127 steps. */
export function int8Step(v: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < v.length; i++) largest = Math.max(largest, Math.abs(v[i]!));
  return Math.fround(largest / 127);
}

/**
 * Pruning on the symmetric int8 grid of each layer (q * step, q = -127..127, step = max |v| / 127 of the layer): the
 * kappa largest gains over all layers, exact for these grids.
 */
export function int8(kappa: number, sizes: readonly number[]): Compression {
  const size = sizes.reduce((total, n) => total + n, 0);
  const gains = new Float32Array(size);
  const coded = new Float32Array(size);
  return {
    description: `l0 constraint, kappa = ${kappa} of ${size}, int8`,
    project(v, _mu, theta) {
      requireFinite(v);
      let start = 0;
      for (const n of sizes) {
        const step = int8Step(v.subarray(start, start + n));
        for (let i = start; i < start + n; i++) coded[i] = step > 0 ? Math.round(v[i]! / step) * step : 0;
        start += n;
      }
      keepLargestGains(v, kappa, (i) => coded[i]!, gains, theta);
    },
    cost: countNonZeros,
  };
}

/**
 * The step for which every value is fround(q * step) with q from -127 to 127; null when there is none. Each value allows
 * an interval of steps (half a unit in its last place to either side); any step inside all of them does.
 */
export function gridStep(data: Float32Array): number | null {
  const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (!Number.isFinite(largest)) return null;
  const guess = largest / 127;
  let [low, high] = [0, Infinity];
  for (const value of data) {
    const q = Math.round(Math.abs(value) / guess);
    if (q === 0) return null;
    const half = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -126) - 24);
    low = Math.max(low, (Math.abs(value) - half) / q);
    high = Math.min(high, (Math.abs(value) + half) / q);
  }
  const step = (low + high) / 2;
  const exact = (value: number) => Math.fround(Math.round(value / step) * step) === value;
  return data.every((value) => exact(value)) ? step : null;
}
