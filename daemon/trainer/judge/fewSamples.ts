/** The uncertainty of an error of few samples. */
import type { Evaluation } from '../../protocol/events.js';
import { count, shortPercent } from '../../protocol/format.js';

/** With fewer samples an error is reported with its interval: at 30 it is still at least 12 percentage points each way. */
const FEW = 30;
/** Probability of each side that the interval leaves out: 95% are inside. */
const TAIL = 0.025;
const BISECTIONS = 60;

/** P(X <= k) of a binomial distribution, by its terms, because n is small. @param p in (0, 1). */
function atMost(k: number, n: number, p: number): number {
  let term = (1 - p) ** n;
  let sum = term;
  for (let i = 1; i <= k; i++) {
    term *= (((n - i + 1) / i) * p) / (1 - p);
    sum += term;
  }
  return sum;
}

/** The argument at which a function that falls from 1 to 0 over (0, 1) equals `level`. */
function crossing(falling: (p: number) => number, level: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (falling(middle) > level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * The exact 95% interval of a share (Clopper and Pearson 1934): no share outside it gives so many or so few errors with a
 * probability of 2.5% or more.
 * @param wrong of `samples`, 0 to `samples`.
 */
export function shareInterval(wrong: number, samples: number): readonly [number, number] {
  return [
    wrong === 0 ? 0 : crossing((p) => atMost(wrong - 1, samples, p), 1 - TAIL),
    wrong === samples ? 1 : crossing((p) => atMost(wrong, samples, p), TAIL),
  ];
}

/**
 * A sentence on an error of fewer than 30 samples; null for more, and for none. It applies only to errors that count independent samples: not to
 * regressions, nor to sequences, whose steps are dependent.
 */
export function fewSamplesText(
  { error, samples }: Pick<Evaluation, 'error' | 'samples'>,
  regression: boolean,
): string | null {
  if (samples === 0 || samples >= FEW) return null;
  const few = samples === 1 ? 'one sample' : `${count(samples)} samples`;
  const wrong = Math.round((error ?? NaN) * samples);
  const counts = !regression && error !== null && Math.abs(error * samples - wrong) < 1e-6;
  if (!counts) return `the error is that of ${few}: it says little of others`;
  const [low, high] = shareInterval(wrong, samples).map(shortPercent);
  return `the error, ${shortPercent(error)}, is that of ${few} and says little of others: theirs may be anything from ${low} to ${high} (95% interval)`;
}
