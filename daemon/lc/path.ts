import type { MuSchedule } from './schedule.js';

/**
 * Budgets of a path, kappa_1 > kappa_2 > ... > kappa_count, evenly spaced on a log scale, both ends included; fewer where
 * the integers between the ends run out.
 */
export function pathKappas(from: number, to: number, count: number): number[] {
  if (!(from >= to && to >= 1 && count >= 1)) throw new RangeError(`no path of ${count} budgets from ${from} to ${to}`);
  const kappas = Array.from({ length: count }, (_, i) =>
    Math.round(count === 1 ? from : from * (to / from) ** (i / (count - 1))),
  );
  return [...new Set(kappas)];
}

/**
 * The mu schedule of one budget of a path. The first runs all J iterations; each later one is warm-started at the former's
 * (w, theta, lambda) and restarts mu mid-range, `start` of the way up, so it runs (1 - start) J iterations.
 */
export function pathSchedule(
  schedule: MuSchedule & { readonly iterations: number },
  index: number,
  start = 0.6,
): MuSchedule & { readonly iterations: number } {
  const skipped = index === 0 ? 0 : Math.min(schedule.iterations - 1, Math.floor(start * schedule.iterations));
  return {
    mu0: schedule.mu0 * schedule.a ** skipped,
    a: schedule.a,
    iterations: schedule.iterations - skipped,
  };
}
