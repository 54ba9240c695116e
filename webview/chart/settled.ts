/** Until when high errors of the pruned weights are normal, from the penalty's growth and the iterations so far. Independent of the page. */

/** As a share of the norm of the trained weights: below this distance the pruned weights answer much as the trained ones do. */
export const NEAR = 0.2;

/** The iterations of a run so far, as columns of one length. */
export interface Shown {
  /** Position of the iterations on the chart's axis, increasing. */
  readonly x: ArrayLike<number>;
  readonly mu: ArrayLike<number>;
  /** ||w - theta|| / ||w||. */
  readonly ratio: ArrayLike<number>;
}

export interface Settled {
  readonly x: number;
  /** Not reached yet: the expected position, if the distance shrinks as mu grows. */
  readonly expected: boolean;
}

/**
 * The first iteration whose distance is below NEAR. If there is none yet, it is predicted: near the end, ||w - theta|| is proportional to 1/mu
 * (quadratic penalty; the augmented Lagrangian is faster), and mu grows by a constant factor a, so log(ratio / NEAR) / log(a) iterations are left.
 * @param left iterations that the schedule still has; 0 if the run has ended. @returns null if nothing can be predicted.
 */
export function settledAt({ x, mu, ratio }: Shown, left: number): Settled | null {
  for (let i = 0; i < ratio.length; i++) if (ratio[i]! <= NEAR) return { x: x[i]!, expected: false };
  const last = ratio.length - 1;
  if (last < 1 || left <= 0) return null;
  const growth = Math.log(mu[last]! / mu[last - 1]!);
  const step = x[last]! - x[last - 1]!;
  const needed = Math.log(ratio[last]! / NEAR) / growth;
  if (!(growth > 0 && step > 0 && Number.isFinite(needed))) return null;
  return { x: x[last]! + Math.min(left, Math.ceil(needed)) * step, expected: true };
}
