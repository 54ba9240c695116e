/** The curve of a path as a table, and the answer it gives. */
import { amountOf } from '../lc/path.js';
import type { PathAnswer, PathPoint } from '../protocol/events.js';
import type { Terminal } from './terminal.js';
import { bytes, count, percent, sparkline, table } from './text.js';

export interface PathCurve {
  readonly name: string;
  readonly points: readonly PathPoint[];
}

const bySize = (points: readonly PathPoint[]): PathPoint[] =>
  [...points].sort((a, b) => amountOf(b.budget) - amountOf(a.budget) || a.point - b.point);

/** What of the budget a path varies: "10%", "4,096 bytes". */
export function budgetLabel({
  budget: { keep, weights, bytes: size, flops, neurons },
}: Pick<PathPoint, 'budget'>): string {
  if (keep !== undefined) return typeof keep === 'number' ? percent(keep) : keep;
  if (size !== undefined) return typeof size === 'number' ? `${count(size)} bytes` : size;
  if (flops !== undefined) return `${typeof flops === 'number' ? percent(flops) : flops} of FLOPs`;
  if (neurons !== undefined) return `${neurons} neurons`;
  return `${count(weights!)} weights`;
}

/** One row a budget, large to small, the errors of the other curves at the same budget beside it. */
export function printCurve(
  [first, ...others]: readonly PathCurve[],
  answer: PathAnswer | null,
  terminal: Terminal,
): void {
  const points = bySize(first!.points);
  const beside = ({ points: of }: PathCurve, point: PathPoint): string =>
    percent(of.find((one) => amountOf(one.budget) === amountOf(point.budget))?.retrained.error);
  const rows = points.map((point) => [
    `${point.point === answer?.point ? '* ' : ''}${point.point}`,
    budgetLabel(point),
    count(point.kept),
    percent(point.kept / point.prunable),
    point.bytes === null ? '-' : bytes(point.bytes),
    percent(point.theta.error),
    percent(point.retrained.error),
    ...others.map((other) => beside(other, point)),
    `${point.epochs}`,
  ]);
  const header = ['point', 'budget', 'weights', 'kept', 'sparse', 'before retraining', `error (${first!.name})`];
  terminal.print(table([...header, ...others.map(({ name }) => `error (${name})`), 'epochs'], rows));
  if (points.length > 2)
    terminal.print(`error, large to small: ${sparkline(points.map(({ retrained }) => retrained.error))}`);
}

const PARTS = { validation: 'validation part', test: 'test part', train: 'training part' } as const;

/** What the answer rests on, in a sentence or two. */
export function answerText(point: PathPoint, answer: PathAnswer): string {
  const { set, reference, maxErrorIncrease, met } = answer;
  const part = PARTS[set];
  const limit = `at most ${maxErrorIncrease === null ? 'the error' : `${percent(maxErrorIncrease)} more error than that`} of the reference`;
  const figures = `(${percent(point.decision)} against ${percent(reference)} on the ${part})`;
  const found = met ? `The smallest with ${limit} ${figures} is` : `None has ${limit}; the least error ${figures} has`;
  const size = `point ${point.point}: ${budgetLabel(point)}, ${count(point.kept)} of ${count(point.prunable)} weights`;
  const honest =
    set === 'validation'
      ? ''
      : ` The ${part} decided, for want of a validation part ("data": {"validation": 0.1} in the plan sets one aside): its error there is a little optimistic.`;
  return `${found} ${size}.${honest}`;
}

/** The last word of a path as JSON. */
export const answerLine = (point: PathPoint, answer: PathAnswer, folder: string): object => ({
  event: 'answer',
  ...answer,
  budget: point.budget,
  error: point.retrained.error,
  decision: point.decision,
  kept: point.kept,
  prunable: point.prunable,
  bytes: point.bytes,
  folder,
});
