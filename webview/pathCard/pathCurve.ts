/** The curve of a path as numbers: which points, their positions, and which one a position selects. Independent of the page. */
import type { PathPoint } from '../../daemon/protocol/events.js';
import { rounded } from '../../daemon/protocol/format.js';
import { bytes, count, percent } from '../page/format.js';
import type { PathView, RunView } from '../messages/monitor.js';
import { setName } from '../chart/evaluations.js';
import { t } from '../page/strings.js';

/** A visible run with at least one finished point, its points from small to large. */
export interface PathRun {
  readonly view: RunView;
  readonly path: PathView;
  readonly points: readonly PathPoint[];
}

export const shareOf = ({ kept, prunable }: PathPoint): number => kept / Math.max(1, prunable);

export function pathRuns(runs: readonly RunView[]): PathRun[] {
  return runs.flatMap((view) => {
    const { path } = view;
    const points = (path?.points ?? []).filter(({ kept, retrained }) => kept > 0 && retrained.error !== null);
    if (!path || points.length === 0) return [];
    return [{ view, path, points: [...points].sort((a, b) => a.kept - b.kept || a.point - b.point) }];
  });
}

export interface Scale {
  at(value: number): number;
  /** The inverse of `at`. */
  of(place: number): number;
  readonly ticks: readonly number[];
}

/** A logarithmic scale from [low, high] to [from, to]; ticks at 1, 2 and 5 times powers of ten. */
export function logScale(low: number, high: number, from: number, to: number): Scale {
  const [a, b] = low < high ? [Math.log(low), Math.log(high)] : [Math.log(low / 2), Math.log(low * 2)];
  const ticks: number[] = [];
  for (let power = Math.floor(a / Math.LN10); power <= Math.ceil(b / Math.LN10); power++)
    for (const digit of [1, 2, 5]) {
      const tick = Number(`${digit}e${power}`);
      if (Math.log(tick) >= a - 1e-9 && Math.log(tick) <= b + 1e-9) ticks.push(tick);
    }
  return {
    at: (value) => from + ((Math.log(value) - a) / (b - a)) * (to - from),
    of: (place) => Math.exp(a + ((place - from) / (to - from)) * (b - a)),
    ticks,
  };
}

/** A linear scale from [low, high] to [from, to], with about five even ticks. */
export function linearScale(low: number, high: number, from: number, to: number): Scale {
  const span = high - low || Math.abs(high) || 1;
  const [a, b] = high > low ? [low, high] : [low - span / 2, high + span / 2];
  const power = 10 ** Math.floor(Math.log10((b - a) / 5));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= (b - a) / 5) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.ceil(a / step - 1e-9); i * step <= b + step * 1e-9; i++) ticks.push(rounded(i * step, 12));
  return {
    at: (value) => from + ((value - a) / (b - a)) * (to - from),
    of: (place) => a + ((place - from) / (to - from)) * (b - a),
    ticks,
  };
}

/** Index of the point whose share of kept weights is nearest on a log scale. `points` is not empty. */
export function nearestPoint(points: readonly PathPoint[], share: number): number {
  const distance = (point: PathPoint) => Math.abs(Math.log(shareOf(point)) - Math.log(Math.max(share, 1e-12)));
  return points.reduce((best, point, i) => (distance(point) < distance(points[best]!) ? i : best), 0);
}

/** The point selected at first: the answer, else the latest one computed. */
export function firstChoice({ path, points }: PathRun): PathPoint {
  return (
    points.find(({ point }) => point === path.answer?.point) ?? points.reduce((a, b) => (b.point > a.point ? b : a))
  );
}

/** A point in one line: kept share, size and error. */
export function pointText(
  point: PathPoint,
  { referenceError: reference, errorSet }: Pick<RunView, 'referenceError' | 'errorSet'>,
): string {
  const error = percent(point.retrained.error);
  const size = point.bytes === null ? '' : t(', {0} as a sparse package', bytes(point.bytes));
  const beside = reference === null ? '' : t(' (reference {0})', percent(reference));
  const part = errorSet === null ? '' : `${setName(errorSet)} `;
  return t(
    '{0} kept: {1} weights{2}, {5}error {3}{4}',
    percent(shareOf(point)),
    count(point.kept),
    size,
    error,
    beside,
    part,
  );
}
