/** The curve of a path as a table, and the answer it gives. */
import { amountOf } from '../lc/path.js';
import type { PathAnswer, PathPoint } from '../protocol/events.js';
import { budgetLabel } from '../protocol/runs/budgetLabel.js';
import type { Terminal } from './terminal.js';
import { bytes, count, orDash, percent, sparkline, table } from './text.js';

export interface PathCurve {
  readonly name: string;
  readonly points: readonly PathPoint[];
}

const bySize = (points: readonly PathPoint[]): PathPoint[] =>
  [...points].sort((a, b) => amountOf(b.budget) - amountOf(a.budget) || a.point - b.point);

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
    budgetLabel(point.budget),
    count(point.kept),
    percent(point.kept / point.prunable),
    orDash(point.bytes, bytes),
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

/** "at most 0.5% more error than that of the reference" */
export function limitText({ maxErrorIncrease, maxError }: PathAnswer): string {
  if (typeof maxError === 'number') return `at most ${percent(maxError)} error`;
  return `at most ${maxErrorIncrease === null ? 'the error' : `${percent(maxErrorIncrease)} more error than that`} of the reference`;
}

/** Standard error of the point's error: the standard deviation of a share of so many samples. */
function noise({ decision }: PathPoint, { samples }: PathAnswer): string {
  if (decision === null || samples === undefined || !(decision >= 0 && decision <= 1)) return '';
  const deviation = Math.sqrt((decision * (1 - decision)) / samples);
  return deviation === 0
    ? ''
    : ` An error of ${percent(decision)} of ${count(samples)} samples has a standard deviation of ${percent(deviation)}.`;
}

/** The basis of the answer, in a sentence or two. */
export function answerText(point: PathPoint, answer: PathAnswer): string {
  const { set, reference, met } = answer;
  const part = PARTS[set];
  const limit = limitText(answer);
  const figures = `(${percent(point.decision)} against ${percent(reference)} on the ${part})`;
  const found = met ? `The smallest with ${limit} ${figures} is` : `None has ${limit}; the least error ${figures} has`;
  const size = `point ${point.point}: ${budgetLabel(point.budget)}, ${count(point.kept)} of ${count(point.prunable)} weights`;
  const honest =
    set === 'validation'
      ? ''
      : ` The ${part} decided, for want of a validation part ("data": {"validation": 0.1} in the plan sets one aside): ${set === 'test' ? 'its error there is a little optimistic' : 'the error on new data is higher'}.`;
  return `${found} ${size}.${noise(point, answer)}${honest}`;
}

/** The result of a path as the last JSON line. */
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
