import type { Compression } from '../compression.js';
import { requireMu } from './l0.js';
import { rejectNonFinite } from './select.js';

/** ||theta||_2 squared, summed in float64. */
export function squaredNorm(theta: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < theta.length; i++) sum += theta[i]! * theta[i]!;
  return sum;
}

function scale(v: Float32Array, factor: number, theta: Float32Array): void {
  for (let i = 0; i < v.length; i++) theta[i] = v[i]! * factor;
}

/** l2 constraint: ||theta||_2^2 <= kappa. Scales v onto the ball; makes no zeros. [P, section 3] */
export function l2Constraint(kappa: number): Compression {
  return {
    description: `l2 constraint, ||theta||^2 <= ${kappa}`,
    project(v, _mu, theta) {
      const norm = squaredNorm(v);
      // The square of a finite float32 is finite in float64, and so is any sum of them.
      if (!Number.isFinite(norm)) rejectNonFinite(v);
      scale(v, norm > kappa ? Math.sqrt(kappa / norm) : 1, theta);
    },
    cost: squaredNorm,
  };
}

/** l2 penalty: alpha ||theta||_2^2. theta = v mu/(mu + 2 alpha). [P, section 3] */
export function l2Penalty(alpha: number): Compression {
  return {
    description: `l2 penalty, alpha = ${alpha}`,
    project(v, mu, theta) {
      requireMu(mu);
      if (!Number.isFinite(squaredNorm(v))) rejectNonFinite(v);
      scale(v, mu / (mu + 2 * alpha), theta);
    },
    cost: squaredNorm,
  };
}
