/** Least squares with exact L steps, for tests of the LC loop. */
import { cStep, directCompression } from '../../../daemon/lc/cStep.js';
import type { Compression, CompressionTask } from '../../../daemon/lc/compression.js';
import { penaltyTarget, updateMultipliers } from '../../../daemon/lc/multipliers.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { muAt } from '../../../daemon/lc/schedule.js';
import { has, subsets } from './oracles.js';

/** Solves a symmetric positive definite system by Gaussian elimination. */
function solve(A: number[][], b: number[]): number[] {
  const n = b.length;
  const M = A.map((row, i) => [...row, b[i]!]);
  for (let k = 0; k < n; k++) {
    for (let i = k + 1; i < n; i++) {
      const factor = M[i]![k]! / M[k]![k]!;
      for (let j = k; j <= n; j++) M[i]![j]! -= factor * M[k]![j]!;
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = M[i]![n]!;
    for (let j = i + 1; j < n; j++) sum -= M[i]![j]! * x[j]!;
    x[i] = sum / M[i]![i]!;
  }
  return x;
}

/** Least squares L(w) = 1/2 ||y - X w||^2 on a random design with a sparse truth: everything about it is known exactly. */
export class Regression {
  readonly A: number[][];
  readonly c: number[];
  readonly yy: number;
  constructor(
    readonly size: number,
    seed: number,
    samples = 40,
  ) {
    const random = createRandom(seed);
    const shared = Array.from({ length: samples }, () => random.normal());
    // Correlated columns, so that magnitude pruning is not the answer.
    const X = Array.from({ length: samples }, (_, s) =>
      Array.from({ length: size }, () => random.normal() + 0.7 * shared[s]!),
    );
    const truth = Array.from({ length: size }, (_, i) => (i % 3 === 0 ? 1 + random.next() : 0.2 * random.normal()));
    const y = X.map((row) => row.reduce((sum, x, i) => sum + x * truth[i]!, 0) + 0.3 * random.normal());
    this.A = Array.from({ length: size }, (_, i) =>
      Array.from({ length: size }, (_, j) => X.reduce((sum, row) => sum + row[i]! * row[j]!, 0) / samples),
    );
    this.c = Array.from({ length: size }, (_, i) => X.reduce((sum, row, s) => sum + row[i]! * y[s]!, 0) / samples);
    this.yy = y.reduce((sum, x) => sum + x * x, 0) / samples;
  }
  loss(w: ArrayLike<number>): number {
    let value = this.yy / 2;
    for (let i = 0; i < this.size; i++) {
      value -= this.c[i]! * w[i]!;
      for (let j = 0; j < this.size; j++) value += (w[i]! * this.A[i]![j]! * w[j]!) / 2;
    }
    return value;
  }
  gradient(w: ArrayLike<number>): number[] {
    return this.A.map((row, i) => row.reduce((sum, a, j) => sum + a * w[j]!, 0) - this.c[i]!);
  }
  reference(): Float32Array {
    return Float32Array.from(solve(this.A, this.c));
  }
  /** argmin L(w) + mu/2 ||w - t||^2, exact. */
  lStep(mu: number, t: Float32Array): Float32Array {
    const A = this.A.map((row, i) => row.map((a, j) => a + (i === j ? mu : 0)));
    return Float32Array.from(
      solve(
        A,
        this.c.map((c, i) => c + mu * t[i]!),
      ),
    );
  }
  /** The least loss with this support: what retraining reaches. */
  restricted(support: number[]): number {
    if (support.length === 0) return this.loss(new Float32Array(this.size));
    const x = solve(
      support.map((i) => support.map((j) => this.A[i]![j]!)),
      support.map((i) => this.c[i]!),
    );
    const w = new Float64Array(this.size);
    support.forEach((i, k) => (w[i] = x[k]!));
    return this.loss(w);
  }
  bestSubset(kappa: number): number {
    let best = Infinity;
    for (const mask of subsets(this.size)) {
      const support = [...this.c.keys()].filter((i) => has(mask, i));
      if (support.length === kappa) best = Math.min(best, this.restricted(support));
    }
    return best;
  }
}

interface Iteration {
  readonly mu: number;
  readonly w: Float32Array;
  readonly thetaBefore: Float32Array;
  readonly lambdaBefore: Float32Array;
  readonly theta: Float32Array;
  readonly lambda: Float32Array;
}

/** The loop of docs/lc-algorithm.md with exact L steps. */
export function lcLoop(
  problem: Regression,
  tasks: CompressionTask[],
  { mu0 = 0.02, a = 1.15, iterations = 90, multipliers = 'AL' as 'AL' | 'QP' } = {},
  onIteration: (iteration: Iteration) => void = () => {},
) {
  let w = problem.reference();
  const theta = w.slice();
  const lambda = new Float32Array(problem.size);
  const active = multipliers === 'AL' ? lambda : null;
  const target = new Float32Array(problem.size);
  directCompression(tasks, w, theta, mu0);
  for (let j = 0; j < iterations; j++) {
    const mu = muAt({ mu0, a }, j);
    const [thetaBefore, lambdaBefore] = [theta.slice(), lambda.slice()];
    penaltyTarget(tasks, theta, active, mu, target);
    w = problem.lStep(mu, target);
    cStep(tasks, w, active, mu, theta);
    if (active) updateMultipliers(tasks, active, mu, w, theta);
    onIteration({ mu, w, thetaBefore, lambdaBefore, theta, lambda });
  }
  return { w, theta, lambda };
}

export const global = (size: number, compression: Compression): CompressionTask[] => [
  { name: 'all', ranges: [{ start: 0, end: size }], compression },
];
export const supportOf = (theta: Float32Array): number[] => [...theta.keys()].filter((i) => theta[i] !== 0);
