/** The columns of a sweep's table, declared once: for the terminal, Markdown and CSV, and for the editor's page. */
import { bytes, count, duration, orDash, percent } from '../format.js';
import type { Spread, SweepRow } from './sweepResults.js';

/** "2.00% ± 0.10%": mean and sample standard deviation. */
export const spreadText = ({ mean, deviation }: Spread): string =>
  deviation === null ? orDash(mean, percent) : `${orDash(mean, percent)} ± ${percent(deviation)}`;

export const keptShare = ({ kept, prunable }: Pick<SweepRow, 'kept' | 'prunable'>): number =>
  kept / Math.max(1, prunable);

export interface SweepColumn {
  /** English; a page translates it. A key of the plan stays as it is. */
  readonly title: string;
  readonly isNumber: boolean;
  text(row: SweepRow): string;
  /** For other programs: without rounding and units. */
  value(row: SweepRow): string | number | null;
}

const keysOf = (rows: readonly SweepRow[]): string[] => [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];

const keyColumn = (key: string): SweepColumn => ({
  title: key,
  isNumber: false,
  text: ({ values }) => String(values[key] ?? ''),
  value: ({ values }) => (values[key] === undefined ? null : String(values[key])),
});

const numberColumn = (
  title: string,
  value: (row: SweepRow) => number | null,
  write: (value: number) => string,
): SweepColumn => ({ title, isNumber: true, text: (row) => orDash(value(row), write), value });

const errorColumn = (title: string, of: (row: SweepRow) => Spread): SweepColumn => ({
  title,
  isNumber: true,
  text: (row) => spreadText(of(row)),
  value: (row) => of(row).mean,
});

/** A column for each key of the plan that the rows have values of, then those that every sweep has. */
export const sweepColumns = (rows: readonly SweepRow[]): SweepColumn[] => [
  ...keysOf(rows).map(keyColumn),
  { title: 'method', isNumber: false, text: ({ method }) => method, value: ({ method }) => method },
  numberColumn('runs', ({ runs }) => runs, count),
  numberColumn('kept', keptShare, (share) => percent(share)),
  numberColumn('size', (row) => row.bytes, bytes),
  errorColumn('reference error', ({ reference }) => reference),
  errorColumn('before retraining', ({ theta }) => theta),
  errorColumn('error', ({ error }) => error),
  ...(rows.some(({ decision }) => decision.mean !== null)
    ? [errorColumn('held-out error', ({ decision }) => decision)]
    : []),
  numberColumn('time', ({ seconds }) => seconds, duration),
  { title: 'best', isNumber: false, text: ({ best }) => (best ? '*' : ''), value: ({ best }) => (best ? 1 : 0) },
];
