/** mu_j = mu0 * a^j. */
export interface MuSchedule {
  readonly mu0: number;
  readonly a: number;
}

/** mu of LC iteration j >= 0: geometric growth. [P, section 2] */
export const muAt = ({ mu0, a }: MuSchedule, j: number): number => mu0 * a ** j;

/** The growth `a` with which mu is `growth` times mu0 after the last of these LC iterations. @param iterations >= 2. */
export const growthPerIteration = (growth: number, iterations: number): number => growth ** (1 / (iterations - 1));

/**
 * Gradual magnitude pruning's sparsity, s_f + (s_i - s_f)(1 - t)^3. (Zhu & Gupta 2017, eq. 1)
 * @param progress t, the share of the pruning phase that is over; clamped to [0, 1].
 * @param final sparsity at t = 1, a fraction of zeros.
 * @param initial sparsity at t = 0.
 */
export function gradualSparsity(progress: number, final: number, initial = 0): number {
  const left = 1 - Math.min(1, Math.max(0, progress));
  return final + (initial - final) * left ** 3;
}

/** Weights kept at a step of gradual pruning: from `size` at progress 0 down to exactly kappa at 1. */
export function gradualKappa(progress: number, kappa: number, size: number): number {
  return progress >= 1 ? kappa : Math.max(kappa, Math.round((1 - gradualSparsity(progress, 1 - kappa / size)) * size));
}
