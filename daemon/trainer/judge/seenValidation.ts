/** Detects a given model that was trained on the data from which a validation part is cut, with the help of the test part. */
import type { Evaluation } from '../../protocol/events.js';
import { percent, scientific } from '../../protocol/format.js';

/** A less likely gap is no accident. */
const SIGNIFICANCE = 1e-4;

/** log n!, exact to float64 rounding below 256 and by Stirling's series above (error below 1e-16). */
function logFactorial(n: number): number {
  if (n < 256) {
    let sum = 0;
    for (let i = 2; i <= n; i++) sum += Math.log(i);
    return sum;
  }
  const x = n + 1;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3);
}

/**
 * Fisher's exact test, one-sided: the probability of at most `wrong` errors in the first of two samples of one rate, given the total of both
 * (hypergeometric).
 * @param size samples of the first, of which `wrong` are wrong; `otherSize` and `otherWrong` of the second.
 */
export function fewerErrorsByChance(wrong: number, size: number, otherWrong: number, otherSize: number): number {
  const all = wrong + otherWrong;
  const choose = (n: number, k: number) => logFactorial(n) - logFactorial(k) - logFactorial(n - k);
  const total = choose(size + otherSize, all);
  let sum = 0;
  for (let k = Math.max(0, all - otherSize); k <= wrong; k++)
    sum += Math.exp(choose(size, k) + choose(otherSize, all - k) - total);
  return Math.min(1, sum);
}

/** The warning that errors on the validation part mislead, if a given model makes far fewer there than on the test part; else null. */
export function seenValidation(validation: Evaluation | undefined, test: Evaluation | undefined): string | null {
  if (typeof validation?.error !== 'number' || typeof test?.error !== 'number') return null;
  const wrong = (of: Evaluation) => Math.round(of.error! * of.samples);
  const chance = fewerErrorsByChance(wrong(validation), validation.samples, wrong(test), test.samples);
  if (chance > SIGNIFICANCE) return null;
  return (
    `the given model errs on ${percent(validation.error)} of the validation part and ${percent(test.error)} of the test part` +
    ` (by chance: p ${chance < 1e-12 ? '< 1e-12' : `= ${scientific(chance, 0)}`}): it was trained on the data that "validation" is cut from, and an increase or a bound` +
    ' measured there means nothing; remove "validation", so that the training part decides, which both networks have seen, or give a model that has not seen that part'
  );
}
