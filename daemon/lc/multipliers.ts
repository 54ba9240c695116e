import type { CompressionTask } from './compression.js';
import { taskRanges } from './view.js';

/**
 * Augmented Lagrangian: lambda <- lambda - mu (w - theta), with the theta of the C step just done. [P, eq. 6]
 * The quadratic penalty (QP) has no multipliers: pass lambda = null everywhere and leave this step out.
 * All vectors are flat and of one length; only the tasks' ranges change.
 */
export function updateMultipliers(
  tasks: readonly CompressionTask[],
  lambda: Float32Array,
  mu: number,
  w: Float32Array,
  theta: Float32Array,
): void {
  for (const { start, end } of taskRanges(tasks)) {
    for (let i = start; i < end; i++) lambda[i] = lambda[i]! - mu * (w[i]! - theta[i]!);
  }
}

/**
 * The L step's target t = theta + lambda/mu, with which the penalty's gradient is mu (w - t) = mu (w - theta) - lambda;
 * without multipliers (QP, lambda = null) t = theta. Only the tasks' ranges of `out` are written.
 */
export function penaltyTarget(
  tasks: readonly CompressionTask[],
  theta: Float32Array,
  lambda: Float32Array | null,
  mu: number,
  out: Float32Array,
): void {
  for (const { start, end } of taskRanges(tasks)) {
    if (lambda === null) out.set(theta.subarray(start, end), start);
    else for (let i = start; i < end; i++) out[i] = theta[i]! + lambda[i]! / mu;
  }
}
