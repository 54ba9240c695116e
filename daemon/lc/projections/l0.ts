import type { Compression } from '../compression.js';
import { countNonZeros, keepLargest, rejectNonFinite } from './select.js';

/** Checks mu for C steps that depend on it. */
export function requireMu(mu: number): void {
  if (!(mu > 0 && mu < Infinity)) throw new RangeError(`a penalty form needs a finite mu > 0, not ${mu}`);
}

/**
 * l0 constraint: ||theta||_0 <= kappa. Keeps the kappa largest |v|. [P, section 3]
 * @param size number of weights, for the description.
 */
export function l0Constraint(kappa: number, size: number): Compression {
  return {
    description: `l0 constraint, kappa = ${kappa} of ${size}`,
    project: (v, _mu, theta) => keepLargest(v, kappa, theta),
    cost: countNonZeros,
  };
}

/** Hard threshold: theta_i = v_i where v_i^2 > bound, else 0. @throws RangeError on a NaN or an infinity. */
export function hardThreshold(v: Float32Array, bound: number, theta: Float32Array): void {
  let check = 0;
  for (let i = 0; i < v.length; i++) {
    const x = v[i]!;
    check += x - x;
    theta[i] = x * x > bound ? x : 0;
  }
  if (check !== 0) rejectNonFinite(v);
}

/** l0 penalty: alpha ||theta||_0. Keeps v_i where |v_i| > sqrt(2 alpha / mu). [P, section 3] */
export function l0Penalty(alpha: number): Compression {
  return {
    description: `l0 penalty, alpha = ${alpha}`,
    project(v, mu, theta) {
      requireMu(mu);
      hardThreshold(v, (2 * alpha) / mu, theta);
    },
    cost: countNonZeros,
  };
}
