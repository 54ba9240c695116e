/** The curves of a report, and the table of a path's budgets. */
import { budgetLabel } from '../protocol/runs/budgetLabel.js';
import { orDash } from '../protocol/format.js';
import type { Budget } from '../protocol/plan.js';
import { curveSvg } from './curve.js';
import { type Of, type ReportRun, type Table, all, count, last, percent } from './reportTables.js';

/** One row a budget of a path, large to small; the other runs' points of the same budget beside it. */
export function pathTable(runs: readonly ReportRun[]): Table[] {
  const points = all(runs[0]!, 'point').sort((a, b) => b.kept - a.kept);
  if (points.length === 0) return [];
  const chosen = last(runs[0]!, 'done')?.path?.point;
  const others = runs.slice(1).filter((run) => run.plan.path);
  const beside = (run: ReportRun, budget: Budget) =>
    all(run, 'point').find((point) => JSON.stringify(point.budget) === JSON.stringify(budget))?.retrained.error;
  const rows = points.map((point) => [
    `${point.point}${point.point === chosen ? ' (the result)' : ''}`,
    budgetLabel(point.budget),
    count(point.kept),
    percent(point.kept / point.prunable),
    orDash(point.bytes, count),
    percent(point.theta.error),
    percent(point.retrained.error),
    ...others.map((run) => percent(beside(run, point.budget))),
    point.epochs.toString(),
  ]);
  return [
    {
      title: 'Path',
      header: [
        'Point',
        'Budget',
        'Weights kept',
        'Kept',
        'Sparse package, bytes',
        'Before retraining',
        'After retraining',
        ...others.map((run) => `After retraining (${run.plan.method})`),
        'Epochs',
      ],
      rows,
    },
  ];
}

/** Error against kept weights, a series for each path. */
function pathCurve(runs: readonly ReportRun[]): string[] {
  const series = runs
    .map((run) => ({
      name: run.plan.method,
      points: all(run, 'point')
        .map((point) => [(100 * point.kept) / point.prunable, 100 * (point.retrained.error ?? Number.NaN)] as const)
        .sort((a, b) => a[0] - b[0]),
    }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return [];
  return [curveSvg(series, { title: 'Error after retraining', x: 'kept %', y: 'error %', logX: true })];
}

export function curves(runs: readonly ReportRun[]): string[] {
  const series = (pick: (event: Of<'iteration'>) => number | null) =>
    runs
      .map((run) => ({
        name: run.plan.method,
        points: all(run, 'iteration').map((event) => [event.iteration + 1, pick(event) ?? Number.NaN] as const),
      }))
      .filter((one) => one.points.length > 0);
  // The iterations of a path restart with every budget.
  if (runs.some((run) => run.plan.path)) return pathCurve(runs);
  const error = series((event) => (event.error === null ? null : 100 * event.error));
  const ratio = series((event) => event.ratio);
  return [
    curveSvg(error, { title: 'Test error at theta', x: 'LC iteration', y: 'error %', logY: true }),
    curveSvg(ratio, { title: 'Distance ||w - theta|| / ||w||', x: 'LC iteration', y: 'ratio', logY: true }),
  ];
}
