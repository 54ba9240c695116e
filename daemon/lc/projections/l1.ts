import type { Compression } from '../compression.js';
import { requireMu } from './l0.js';
import { BINS, LOW_BINS, LOW_BITS, MAGNITUDE_BITS, NON_FINITE_BIN, bitsOf, rejectNonFinite } from './select.js';

const counts = /* @__PURE__ */ new Uint32Array(BINS);
const sums = /* @__PURE__ */ new Float64Array(BINS);
const lowCounts = /* @__PURE__ */ new Uint32Array(LOW_BINS);
const lowValue = /* @__PURE__ */ new Float32Array(1);
const lowBits = /* @__PURE__ */ bitsOf(lowValue);

/** ||theta||_1, summed in float64. */
export function l1Norm(theta: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < theta.length; i++) sum += Math.abs(theta[i]!);
  return sum;
}

/** theta = sign(v) max(|v| - tau, 0). @throws RangeError on a NaN or an infinity. */
export function softThreshold(v: Float32Array, tau: number, theta: Float32Array): void {
  let check = 0;
  for (let i = 0; i < v.length; i++) {
    const x = v[i]!;
    check += x - x;
    theta[i] = x > tau ? x - tau : x < -tau ? x + tau : 0;
  }
  if (check !== 0) rejectNonFinite(v);
}

/**
 * The tau >= 0 at which ||softThreshold(v, tau)||_1 = kappa; 0 when ||v||_1 <= kappa already.
 * With u = |v| in descending order and S_k its prefix sums, tau = (S_rho - kappa)/rho, rho = max{k: u_k > (S_k - kappa)/k}
 * (Duchi et al. 2008). Instead of a sort: counts and sums per magnitude bin find the bin of u_rho, then the exact
 * values inside that bin are scanned. O(n), sums in float64.
 * @throws RangeError on a NaN or an infinity, or kappa < 0.
 */
export function l1Threshold(v: Float32Array, kappa: number): number {
  if (!(kappa >= 0)) throw new RangeError(`the l1 radius must be at least 0, not ${kappa}`);
  const bits = bitsOf(v);
  counts.fill(0);
  sums.fill(0);
  for (let i = 0; i < v.length; i++) {
    const bin = (bits[i]! & MAGNITUDE_BITS) >>> LOW_BITS;
    counts[bin]!++;
    sums[bin]! += Math.abs(v[i]!);
  }
  for (let bin = NON_FINITE_BIN; bin < BINS; bin++) if (counts[bin]! !== 0) rejectNonFinite(v);
  let norm = 0;
  for (let bin = 0; bin < NON_FINITE_BIN; bin++) norm += sums[bin]!;
  if (norm <= kappa) return 0;

  // The excess over kappa of the soft threshold at a bin's lower edge grows as the bin goes down: find where it turns positive.
  let k = 0;
  let sum = 0;
  let bin = NON_FINITE_BIN - 1;
  for (; bin > 0; bin--) {
    const nextK = k + counts[bin]!;
    const nextSum = sum + sums[bin]!;
    lowBits[0] = bin << LOW_BITS;
    if (nextSum - nextK * lowValue[0]! >= kappa && counts[bin]! > 0) break;
    k = nextK;
    sum = nextSum;
  }

  const lowMask = LOW_BINS - 1;
  lowCounts.fill(0);
  for (let i = 0; i < v.length; i++) {
    const key = bits[i]! & MAGNITUDE_BITS;
    if (key >>> LOW_BITS === bin) lowCounts[key & lowMask]!++;
  }
  for (let low = lowMask; low >= 0; low--) {
    const multiplicity = lowCounts[low]!;
    if (multiplicity === 0) continue;
    lowBits[0] = (bin << LOW_BITS) | low;
    const u = lowValue[0]!;
    if (k > 0 && u <= (sum - kappa) / k) break;
    k += multiplicity;
    sum += multiplicity * u;
  }
  return k === 0 ? 0 : Math.max(0, (sum - kappa) / k);
}

/** l1 constraint: ||theta||_1 <= kappa. [P, section 3; tau: Duchi et al. 2008] */
export function l1Constraint(kappa: number): Compression {
  return {
    description: `l1 constraint, ||theta||_1 <= ${kappa}`,
    project(v, _mu, theta) {
      const tau = l1Threshold(v, kappa);
      if (tau > 0) softThreshold(v, tau, theta);
      else if (theta !== v) theta.set(v);
    },
    cost: l1Norm,
  };
}

/** l1 penalty: alpha ||theta||_1. Soft threshold at alpha/mu. [P, section 3] */
export function l1Penalty(alpha: number): Compression {
  return {
    description: `l1 penalty, alpha = ${alpha}`,
    project(v, mu, theta) {
      requireMu(mu);
      softThreshold(v, alpha / mu, theta);
    },
    cost: l1Norm,
  };
}
