/**
 * Decides whether one mapping of the data is clearly better than another for a trained model. It ignores the model's confidence: larger inputs raise
 * it without making the model better.
 */
import { TEMPERED_FLOOR, type ConstantFigures, type MappingFigures } from './mappingFigures.js';

/** Standard errors of the paired difference. */
const CLEARLY = 3;
/** A smaller share of the possible improvement does not count. */
const SHARE = 0.1;
/** A share of the cross-entropy of chance: the loss of a network on inputs that are far smaller than those it was trained on. */
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

/** The evidence that one mapping is better than another. */
export type Evidence = 'errors' | 'loss';

/**
 * The evidence that mapping `a` is clearly better than `b`. Errors come first. If they do not decide: whether `b` leaves the network less confident
 * than a trained one is. If that does not either: the loss after fitting one temperature. null: it is not better.
 * @param chance cross-entropy of an answer that favours nothing.
 */
function betterBy(a: MappingFigures, b: MappingFigures, chance: number): Evidence | null {
  const fewer = (x: MappingFigures, y: MappingFigures) => clearlyLower(x.errors, y.errors, SHARE * mean(y.errors));
  if (fewer(a, b)) return 'errors';
  if (fewer(b, a)) return null;
  const timid = (x: MappingFigures, y: MappingFigures) =>
    x.timid && x.softened !== null && y.softened !== null && clearlyLower(y.softened, x.softened, TIMID_SHARE * chance);
  if (timid(b, a)) return 'loss';
  if (timid(a, b) || !a.tempered || !b.tempered) return null;
  // No loss at that confidence is lower than the floor.
  const least = SHARE * Math.max(0, mean(b.tempered) - TEMPERED_FLOOR);
  return clearlyLower(a.tempered, b.tempered, least) ? 'loss' : null;
}

/**
 * Whether the model has learnt the data under this mapping: it errs clearly less than the best constant answer, or than a guess that answers each
 * class as often as it does (for a rare class, always "no" is hard to beat by errors), or its loss is clearly below that of answering the frequencies
 * of the classes.
 */
function isKnowing({ answers, constant }: Candidate): boolean {
  const { errors, disagreement, tempered } = answers;
  if (clearlyLower(errors, constant.errors, 0.01 * mean(constant.errors))) return true;
  const guess = disagreement.map(() => 1);
  if (clearlyLower(disagreement, guess, SHARE)) return true;
  const { losses } = constant;
  return tempered !== null && losses !== null && clearlyLower(tempered, losses, SHARE * mean(losses));
}

/** A mapping, and the figures of a constant answer under it. */
export interface Candidate {
  readonly answers: MappingFigures;
  readonly constant: ConstantFigures;
}

/**
 * Position of the mapping to take: the first one, which is the default, unless others are clearly better than it; then the first among those that the
 * fewest are clearly better than. Only mappings under which the model has learnt something count.
 * @param candidates simplest first. @returns `by`: the evidence for it against the first one; null for the first one itself.
 */
export function bestMapping(
  candidates: readonly Candidate[],
  chance: number,
): { readonly best: number; readonly knows: boolean; readonly by: Evidence | null } {
  const rivals = candidates.filter(isKnowing);
  const [usual] = candidates as readonly [Candidate];
  const beats = (rival: Candidate, one: Candidate) => betterBy(rival.answers, one.answers, chance);
  const better = rivals.filter((one) => beats(one, usual) !== null);
  const beaten = better.map((one) => rivals.filter((rival) => beats(rival, one) !== null).length);
  const best = better[beaten.indexOf(Math.min(...beaten))] ?? usual;
  return { best: candidates.indexOf(best), knows: rivals.length > 0, by: beats(best, usual) };
}

/** Mean of the errors, in [0, 1] for a classifier. */
export const meanError = ({ errors }: MappingFigures): number => mean(errors);
