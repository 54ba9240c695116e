/** Regularisation paths: a plan's budget at many sizes, from large to small, each warm-started at the one before. Pure. */
import { BudgetError } from './budgetError.js';
import { GOAL_KEYS, goalOf, type BudgetSpec } from './budgets/budgetSpec.js';
import type { PathAmount } from './budgets/kind.js';
import { goalKind } from './budgets/parseBudget.js';
import type { GoalKey } from './budgets/registry.js';
import type { Value } from './budgets/values.js';
import { planPercent } from '../protocol/format.js';

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
 * The LC iteration at which a budget of a path begins. From a former budget's (w, theta, lambda) mu restarts mid-range,
 * `start` of the way up, so that (1 - start) J iterations are left, one at least; without one, all J run.
 */
export const firstIteration = (iterations: number, warm: boolean, start: number): number =>
  warm ? Math.min(iterations - 1, Math.floor(start * iterations)) : 0;

const PATH_GOALS = GOAL_KEYS.filter((key) => goalKind(key).path);

/** The quantity that a path varies, and how. @throws BudgetError if the budget has no size to vary (penalties, radii, patterns alone). */
function varied(budget: BudgetSpec): { readonly goal: GoalKey; readonly value: Value; readonly path: PathAmount } {
  const goal = goalOf(budget);
  const path = goal && goalKind(goal).path;
  if (path) return { goal, value: budget[goal]!, path };
  throw new BudgetError(goal ?? 'budget', `a path varies one of ${PATH_GOALS.join(', ')}; give one of them`);
}

/** The allowed amount in the units of the budget's goal: a share, weights, bytes or neurons. @throws BudgetError if a path cannot vary it. */
export function amountOf(budget: BudgetSpec): number {
  const { value, path } = varied(budget);
  return path.of(value);
}

const isShare = (budget: BudgetSpec): boolean => {
  const { value, path } = varied(budget);
  return path.isShare(value);
};

/** The same budget with another amount: shares as percentages of 4 digits, everything else as whole numbers. */
export function withAmount<B extends BudgetSpec>(budget: B, amount: number): B {
  const { goal, value, path } = varied(budget);
  const other = path.isShare(value) ? planPercent(amount, 4) : Math.max(1, Math.round(amount));
  return { ...budget, [goal]: other };
}

/** The budget with a value under a key of its goal's unit, in place of its own. */
function withValue<B extends BudgetSpec>(budget: B, goal: GoalKey, key: string, value: number | string): B {
  const rest = Object.entries(budget).filter(([own]) => own !== goal || own === key);
  return { ...Object.fromEntries(rest), [key]: value } as unknown as B;
}

/** Parses a budget in a path's list: "10%" in the unit of `budget`; for weights, a share or a number. @throws BudgetError as amountOf. */
export function withListed<B extends BudgetSpec>(budget: B, listed: number | string): B {
  const { goal, path } = varied(budget);
  return withValue(budget, goal, path.keyOf?.(listed) ?? goal, listed);
}

/** `count` budgets around the plan's, large to small. @throws BudgetError as amountOf. */
export function defaultPath<B extends BudgetSpec>(budget: B, count: number): B[] {
  const { goal, value, path } = varied(budget);
  const { key, from, to, shares } = path.range(value);
  if (!shares) return pathKappas(from, to, count).map((amount) => withAmount(budget, amount));
  // Rounded to 1e-5 of the whole.
  return pathKappas(1e5 * from, 1e5 * to, count).map((amount) => withValue(budget, goal, key, `${amount / 1000}%`));
}

/** Budgets of one goal, each amount once, large to small. @throws BudgetError if they cannot be compared. */
export function descending<B extends BudgetSpec>(budgets: readonly B[]): B[] {
  const kinds = new Set(budgets.map((budget) => `${varied(budget).goal} ${isShare(budget)}`));
  if (kinds.size > 1) throw new BudgetError('path', 'mixes shares and numbers; give all budgets of a path in one unit');
  const sorted = [...budgets].sort((a, b) => amountOf(b) - amountOf(a));
  return sorted.filter((budget, i) => i === 0 || amountOf(budget) !== amountOf(sorted[i - 1]!));
}

/** The geometric mean of two budgets; null if no budget lies between them. */
export function between<B extends BudgetSpec>(larger: B, smaller: B): B | null {
  const middle = withAmount(larger, Math.sqrt(amountOf(larger) * amountOf(smaller)));
  const amount = amountOf(middle);
  return amount < amountOf(larger) && amount > amountOf(smaller) ? middle : null;
}

/** A finished point of a path. */
export interface PathResult<B extends BudgetSpec = BudgetSpec> {
  readonly budget: B;
  /** Error on the deciding part of the data; null: not finite. */
  readonly error: number | null;
}

/** Errors are counts divided by the number of samples: a sum such as 0.0095 + 0.005 differs from one by rounding. */
const ROUNDING = 1e-12;

/** Whether a point's error is at most `bound`; false if it is not finite. */
export const within = ({ error }: Pick<PathResult, 'error'>, bound: number): boolean =>
  error !== null && error <= bound + ROUNDING;

/** The point with the smallest budget whose error is at most `bound`; -1 if there is none. */
export function smallestWithin(points: readonly PathResult[], bound: number): number {
  let best = -1;
  points.forEach((point, i) => {
    if (within(point, bound) && (best < 0 || amountOf(point.budget) < amountOf(points[best]!.budget))) best = i;
  });
  return best;
}

/** The point of least error, with the smallest budget on a tie. `points` is not empty. */
export function leastError(points: readonly PathResult[]): number {
  const key = ({ error }: PathResult) => error ?? Infinity;
  return points.reduce((best, point, i) => {
    const other = points[best]!;
    const smaller = amountOf(point.budget) < amountOf(other.budget);
    return key(point) < key(other) || (key(point) === key(other) && smaller) ? i : best;
  }, 0);
}

/** A path's bound on the error. */
interface Bounds {
  readonly maxErrorIncrease: number | null;
  readonly maxError: number | null;
}

/** Whether the path searches the smallest network. */
export const hasBound = ({ maxErrorIncrease, maxError }: Bounds): boolean =>
  maxErrorIncrease !== null || maxError !== null;

/**
 * The largest acceptable error. Without a bound, a path's answer is the smallest network as good as the reference. @param reference null: not finite.
 */
export const largestError = ({ maxErrorIncrease, maxError }: Bounds, reference: number | null): number =>
  maxError ?? (reference ?? Infinity) + (maxErrorIncrease ?? 0);

export interface PathSearch {
  /** Largest acceptable error. */
  readonly bound: number;
  /** Most budgets tried beyond the planned ones. */
  readonly refinements: number;
}

export interface NextPoint<B extends BudgetSpec> {
  readonly budget: B;
  /** Index of the point it starts from: a larger budget. null: the reference. */
  readonly from: number | null;
}

/** One bad point may be chance. */
const BAD_IN_A_ROW = 2;

/**
 * The next point of a path. It goes down the planned budgets; in a search for the smallest one, until two in a row are bad. Then it bisects between
 * the smallest good budget and the next smaller one, which is bad. If all are good it continues below them, if all are bad above them, by the ratio
 * of the two nearest.
 * @param planned large to small. @param finished in the order in which this function returned them.
 * @param search null: the planned budgets only. @returns null at the end.
 */
export function nextPoint<B extends BudgetSpec>(
  planned: readonly B[],
  finished: readonly PathResult<B>[],
  search: PathSearch | null,
): NextPoint<B> | null {
  const descended = descentLength(planned.length, finished, search);
  if (finished.length === descended && descended < planned.length && !givenUp(finished, descended, search))
    return { budget: planned[descended]!, from: descended > 0 ? descended - 1 : null };
  if (!search || finished.length - descended >= search.refinements) return null;

  const order = finished.map((_, i) => i).sort((a, b) => amountOf(finished[b]!.budget) - amountOf(finished[a]!.budget));
  const good = smallestWithin(finished, search.bound);
  const step = (a: number, b: number) => amountOf(finished[a]!.budget) / amountOf(finished[b]!.budget);
  if (good < 0) {
    const [first, second] = order as [number, number | undefined];
    const ratio = second === undefined ? 2 : step(first, second);
    const amount = amountOf(finished[first]!.budget) * ratio;
    return isShare(planned[0]!) && amount >= 1 ? null : { budget: withAmount(planned[0]!, amount), from: null };
  }
  const rank = order.indexOf(good);
  const below = order[rank + 1];
  if (below === undefined) {
    const above = order[rank - 1];
    const ratio = above === undefined ? 2 : step(above, good);
    const budget = withAmount(planned[0]!, amountOf(finished[good]!.budget) / ratio);
    return amountOf(budget) < amountOf(finished[good]!.budget) ? { budget, from: good } : null;
  }
  const budget = between(finished[good]!.budget, finished[below]!.budget);
  return budget && { budget, from: good };
}

const givenUp = (finished: readonly PathResult[], at: number, search: PathSearch | null): boolean =>
  search !== null &&
  at >= BAD_IN_A_ROW &&
  finished.slice(at - BAD_IN_A_ROW, at).every((point) => !within(point, search.bound));

/** Number of finished points that belong to the planned descent. */
function descentLength(planned: number, finished: readonly PathResult[], search: PathSearch | null): number {
  let length = 0;
  while (length < Math.min(planned, finished.length) && !givenUp(finished, length, search)) length++;
  return length;
}
