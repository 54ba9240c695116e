/** The curves of a sweep as numbers: which rows are on which curve, their order, and how far their intervals reach. Independent of the page. */
import { keptShare, spreadText } from '../../daemon/protocol/runs/sweepColumns.js';
import type { SweepResults, SweepRow } from '../../daemon/protocol/runs/sweepResults.js';
import { setName } from '../chart/evaluations.js';
import { bytes, count, percent } from '../page/format.js';
import { t } from '../page/strings.js';

/** A row that has a place in the plot. */
export interface SweepPoint {
  readonly row: SweepRow;
  /** Of the weights that may be pruned: above 0, at most 1. */
  readonly share: number;
  readonly error: number;
  /** Sample standard deviation; null of one run. */
  readonly deviation: number | null;
}

/** The rows that differ in their budget only. */
export interface SweepCurve {
  readonly method: string;
  /** Their other values: "schedule.a=1.1"; '': none. */
  readonly values: string;
  /** From the smallest share to the largest. */
  readonly points: readonly SweepPoint[];
}

/** "budget.keep", "tasks.0.budget.keep". */
const isOfBudget = (key: string): boolean => key.split('.').includes('budget');

const valuesText = ({ values }: Pick<SweepRow, 'values'>, fits: (key: string) => boolean = () => true): string =>
  Object.entries(values)
    .filter(([key]) => fits(key))
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');

/** A row's identity while a sweep runs: more of its seeds may finish. */
export const rowKey = ({ values, method }: Pick<SweepRow, 'values' | 'method'>): string =>
  JSON.stringify([values, method]);

/** A row without an error or without a weight has no place on the logarithmic axis: it is in the table alone. */
export function sweepCurves(rows: readonly SweepRow[]): SweepCurve[] {
  const curves = new Map<string, { method: string; values: string; points: SweepPoint[] }>();
  for (const row of rows) {
    const { mean: error, deviation } = row.error;
    const share = keptShare(row);
    if (error === null || !(share > 0)) continue;
    const values = valuesText(row, (key) => !isOfBudget(key));
    const key = JSON.stringify([row.method, values]);
    const curve = curves.get(key) ?? { method: row.method, values, points: [] };
    curve.points.push({ row, share, error, deviation });
    curves.set(key, curve);
  }
  const found = [...curves.values()];
  for (const { points } of found) points.sort((a, b) => a.share - b.share);
  return found;
}

/** Mean plus and minus one sample standard deviation; null of one run. An error is not below 0. */
export const intervalOf = ({ error, deviation }: Pick<SweepPoint, 'error' | 'deviation'>): [number, number] | null =>
  deviation === null ? null : [Math.max(0, error - deviation), error + deviation];

/** The lowest error of a reference, and whether the rows have different ones; null: no row has one. */
export function referenceLevel(rows: readonly SweepRow[]): { error: number; isLowest: boolean } | null {
  const errors = [...new Set(rows.flatMap(({ reference }) => reference.mean ?? []))];
  return errors.length === 0 ? null : { error: Math.min(...errors), isLowest: errors.length > 1 };
}

/** Index of the point nearest to a place in the plot. @param places of the points, in pixels; not empty. */
export function nearestPlace(places: readonly (readonly [number, number])[], x: number, y: number): number {
  const distance = ([px, py]: readonly [number, number]) => (px - x) ** 2 + (py - y) ** 2;
  return places.reduce((best, place, i) => (distance(place) < distance(places[best]!) ? i : best), 0);
}

/** A row in one line, for readers of the plot and for screen readers. @param name of its method. */
export function rowText(row: SweepRow, name: string, set: SweepResults['set']): string {
  const size = row.bytes === null ? '' : t(', {0} as a sparse package', bytes(row.bytes));
  const part = set === null ? '' : `${setName(set)} `;
  const values = valuesText(row);
  const from = row.runs === 1 ? t('1 run') : t('{0} runs', count(row.runs));
  const beside = row.reference.mean === null ? from : t('{0}, reference {1}', from, spreadText(row.reference));
  const best = row.best ? ` ${t('No other row beats it.')}` : '';
  return `${t('{0}: {1} kept{2}, {3}error {4} ({5}).', [name, values].filter(Boolean).join(' '), percent(keptShare(row)), size, part, spreadText(row.error), beside)}${best}`;
}
