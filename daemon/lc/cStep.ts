import type { CompressionTask } from './compression.js';
import { gather, joinRanges, scatter, viewSize } from './view.js';

let scratch = /* @__PURE__ */ new Float32Array(0);

function view(size: number): Float32Array {
  if (scratch.length < size) scratch = new Float32Array(size);
  return scratch.subarray(0, size);
}

/** Writes v = w - lambda/mu over [start, end) to `out` from `at` on. */
function compressionInput(
  w: Float32Array,
  lambda: Float32Array | null,
  mu: number,
  start: number,
  end: number,
  out: Float32Array,
  at: number,
): void {
  if (lambda === null) {
    out.set(w.subarray(start, end), at);
    return;
  }
  const shift = at - start;
  for (let i = start; i < end; i++) out[i + shift] = w[i]! - lambda[i]! / mu;
}

/**
 * The C step of every task: theta <- argmin C-cost and mu/2 ||v - theta||^2, v = w - lambda/mu. [P, eq. 5]
 * Only the tasks' ranges of theta are written. A task whose ranges are adjacent is projected in place, without copies.
 * @param w flat weights; unchanged.
 * @param lambda flat multipliers, or null for the quadratic penalty (QP).
 * @param mu > 0.
 * @param theta flat, same length as w.
 * @throws RangeError on mu <= 0, or where w or lambda is not finite.
 */
export function cStep(
  tasks: readonly CompressionTask[],
  w: Float32Array,
  lambda: Float32Array | null,
  mu: number,
  theta: Float32Array,
): void {
  if (lambda !== null && !(mu > 0)) throw new RangeError(`the C step needs mu > 0, not ${mu}`);
  for (const { ranges, compression } of tasks) {
    const joined = joinRanges(ranges);
    const [only] = joined;
    if (only && joined.length === 1) {
      compressionInput(w, lambda, mu, only.start, only.end, theta, only.start);
      const v = theta.subarray(only.start, only.end);
      compression.project(v, mu, v);
      continue;
    }
    const v = view(viewSize(joined));
    let at = 0;
    for (const { start, end } of joined) {
      compressionInput(w, lambda, mu, start, end, v, at);
      at += end - start;
    }
    compression.project(v, mu, v);
    scatter(v, joined, theta);
  }
}

/**
 * Direct compression: theta <- Pi(w), the starting point of the loop. [P, section 2]
 * @param mu only for penalty forms, which are undefined at mu = 0: pass mu0.
 */
export function directCompression(
  tasks: readonly CompressionTask[],
  w: Float32Array,
  theta: Float32Array,
  mu = NaN,
): void {
  cStep(tasks, w, null, mu, theta);
}

/** C(theta) of each task, in the unit of its budget. */
export function costs(tasks: readonly CompressionTask[], theta: Float32Array): number[] {
  return tasks.map(({ ranges, compression }) => {
    const joined = joinRanges(ranges);
    const [only] = joined;
    if (only && joined.length === 1) return compression.cost(theta.subarray(only.start, only.end));
    const v = view(viewSize(joined));
    gather(theta, joined, v);
    return compression.cost(v);
  });
}
