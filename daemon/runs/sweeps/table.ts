/** The table of a sweep's results: for the terminal, as Markdown and as CSV. */
import { csvField } from '../../protocol/telemetry/csvField.js';
import { bytes, count, duration, orDash, percent } from '../../protocol/format.js';
import type { Spread, SweepRow } from '../../protocol/runs/sweep.js';
import type { SweepResults } from './results.js';

const spread = ({ mean, deviation }: Spread): string =>
  deviation === null ? orDash(mean, percent) : `${orDash(mean, percent)} ± ${percent(deviation)}`;

interface Column {
  readonly title: string;
  text(row: SweepRow): string;
  /** For other programs: without rounding and units. */
  value(row: SweepRow): string | number | null;
}

const keysOf = (rows: readonly SweepRow[]): string[] => [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];

function columnsOf(rows: readonly SweepRow[]): Column[] {
  const valueColumn = (key: string): Column => ({
    title: key,
    text: ({ values }) => String(values[key] ?? ''),
    value: ({ values }) => (values[key] === undefined ? null : String(values[key])),
  });
  const numbers = (
    title: string,
    value: (row: SweepRow) => number | null,
    write: (value: number) => string,
  ): Column => ({
    title,
    text: (row) => orDash(value(row), write),
    value,
  });
  const errors = (title: string, of: (row: SweepRow) => Spread): Column => ({
    title,
    text: (row) => spread(of(row)),
    value: (row) => of(row).mean,
  });
  return [
    ...keysOf(rows).map(valueColumn),
    { title: 'method', text: ({ method }) => method, value: ({ method }) => method },
    numbers('runs', ({ runs }) => runs, count),
    numbers(
      'kept',
      ({ kept, prunable }) => kept / Math.max(1, prunable),
      (share) => percent(share),
    ),
    numbers('size', (row) => row.bytes, bytes),
    errors('reference error', ({ reference }) => reference),
    errors('before retraining', ({ theta }) => theta),
    errors('error', ({ error }) => error),
    numbers('time', ({ seconds }) => seconds, duration),
    { title: 'best', text: ({ best }) => (best ? '*' : ''), value: ({ best }) => (best ? 1 : 0) },
  ];
}

export interface Table {
  readonly header: readonly string[];
  readonly cells: readonly (readonly string[])[];
}

export function sweepTable({ rows }: SweepResults): Table {
  const columns = columnsOf(rows);
  return { header: columns.map(({ title }) => title), cells: rows.map((row) => columns.map(({ text }) => text(row))) };
}

/** What the numbers are of. */
export function sweepNote({ set }: SweepResults): string {
  const part = set ? ` of the ${set} part of the data` : '';
  return `Errors${part}: mean ± standard deviation over the seeds. "*": no other row has less error with as few weights.`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** @param title of the sweep. */
export function sweepMarkdown(title: string, results: SweepResults): string {
  const { header, cells } = sweepTable(results);
  const line = (texts: readonly string[]) => `| ${texts.map(cell).join(' | ')} |`;
  return [`# ${title}`, '', line(header), line(header.map(() => '---')), ...cells.map(line), '', sweepNote(results), ''].join('\n'); // prettier-ignore
}

/** One line a row; deviations follow in columns of their own. RFC 4180. */
export function sweepCsv({ rows }: SweepResults): string {
  const deviations: Column[] = (['reference', 'theta', 'error'] as const).map((of) => ({
    title: `${of} deviation`,
    text: () => '',
    value: (row) => row[of].deviation,
  }));
  const columns = [...columnsOf(rows), ...deviations];
  // A negative number is no formula.
  const field = (value: string | number | null) => (typeof value === 'number' ? String(value) : csvField(value ?? ''));
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ value }) => value(row)))];
  return lines.map((values) => `${values.map(field).join(',')}\n`).join('');
}
