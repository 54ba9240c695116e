/** Until where high errors of the pruned weights are normal, by the penalty's growth and what the run has shown. No page. */

/** Of the trained weights' norm: below this distance the pruned weights answer much as the trained ones do. */
export const NEAR = 0.2;

/** What a run has shown: columns of its LC iterations, all of one length. */
export interface Shown {
  /** Where the iterations lie on the chart's axis, increasing. */
  readonly x: ArrayLike<number>;
  readonly mu: ArrayLike<number>;
  /** ||w - theta|| / ||w||. */
  readonly ratio: ArrayLike<number>;
}

export interface Settled {
  readonly x: number;
  /** Not reached yet: where it should be, if the distance shrinks as mu grows. */
  readonly expected: boolean;
}

/**
 * The first iteration whose distance is below NEAR. Where there is none yet, the penalty says where: at the end of the way ||w - theta||
 * is proportional to 1/mu (quadratic penalty; the augmented Lagrangian is quicker), and mu grows by a constant factor, so that
 * log(ratio / NEAR) / log(a) iterations are left.
 * @param left iterations that the schedule still has; 0 where the run is over. @returns null where nothing can be said.
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
