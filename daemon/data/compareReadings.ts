/** When one reading of the data is clearly better than another for a trained model. Blind to how sure the model is: larger inputs make it surer, not better. */
import { TEMPERED_FLOOR, type ReadingFigures } from './readingFigures.js';

/** Standard errors of the paired difference. */
const CLEARLY = 3;
/** A smaller share of what is to be improved does not matter. */
const SHARE = 0.1;
/** A share of the cross-entropy of chance: what a network leaves that was trained on far larger inputs. */
const TIMID_SHARE = 1 / 3;

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Whether the first of two paired samples is lower by three standard errors of the difference, and by `least` in the mean. */
function clearlyLower(a: Float64Array, b: Float64Array, least: number): boolean {
  const [low, high] = [mean(a), mean(b)];
  if (!Number.isFinite(high)) return Number.isFinite(low);
  const gap = high - low;
  if (!(gap > 0 && gap >= least)) return false;
  const variance = mean(a.map((value, i) => (b[i]! - value - gap) ** 2));
  return gap > CLEARLY * Math.sqrt(variance / a.length);
}

/**
 * Whether reading `a` is clearly better than `b`: by its errors; where those do not decide, because `b` leaves the network
 * too timid for one that was trained; where that does not either, by the loss after fitting one temperature.
 * @param chance cross-entropy of an answer that favours nothing.
 */
export function isClearlyBetter(a: ReadingFigures, b: ReadingFigures, chance: number): boolean {
  const fewer = (x: ReadingFigures, y: ReadingFigures) => clearlyLower(x.errors, y.errors, SHARE * mean(y.errors));
  if (fewer(a, b)) return true;
  if (fewer(b, a)) return false;
  const timid = (x: ReadingFigures, y: ReadingFigures) =>
    x.timid && x.softened !== null && y.softened !== null && clearlyLower(y.softened, x.softened, TIMID_SHARE * chance);
  if (timid(b, a)) return true;
  if (timid(a, b) || !a.tempered || !b.tempered) return false;
  // No loss at that confidence is lower than the floor.
  return clearlyLower(a.tempered, b.tempered, SHARE * Math.max(0, mean(b.tempered) - TEMPERED_FLOOR));
}

/** Whether the model knows anything of the data when it is read so: it errs clearly less than the best constant answer. */
export const isKnowing = (figures: ReadingFigures, constant: Float64Array): boolean =>
  clearlyLower(figures.errors, constant, 0.01 * mean(constant));

/**
 * Position of the first reading that no other is clearly better than: candidates come simplest first, so that ties go to
 * the usual one. Only readings of which the model knows something may replace another.
 */
export function bestReading(
  candidates: readonly ReadingFigures[],
  constant: Float64Array,
  chance: number,
): { readonly best: number; readonly knows: boolean } {
  const rivals = candidates.filter((one) => isKnowing(one, constant));
  if (rivals.length === 0) return { best: 0, knows: false };
  const beaten = candidates.map((one) => rivals.filter((rival) => isClearlyBetter(rival, one, chance)).length);
  const least = Math.min(...beaten);
  return { best: beaten.indexOf(least), knows: true };
}

/** Mean of the errors, in [0, 1] of a classifier. */
export const meanError = ({ errors }: ReadingFigures): number => mean(errors);
