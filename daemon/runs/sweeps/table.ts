/** The table of a sweep's results: for the terminal, as Markdown and as CSV. */
import { sweepColumns, type SweepColumn } from '../../protocol/runs/sweepColumns.js';
import type { SweepResults } from '../../protocol/runs/sweepResults.js';
import { csvField } from '../../protocol/telemetry/csvField.js';

export interface Table {
  readonly header: readonly string[];
  readonly cells: readonly (readonly string[])[];
}

export function sweepTable({ rows }: SweepResults): Table {
  const columns = sweepColumns(rows);
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
  const deviations = (['reference', 'theta', 'error'] as const).map((of): Pick<SweepColumn, 'title' | 'value'> => ({
    title: `${of} deviation`,
    value: (row) => row[of].deviation,
  }));
  const columns = [...sweepColumns(rows), ...deviations];
  // A negative number is no formula.
  const field = (value: string | number | null) => (typeof value === 'number' ? String(value) : csvField(value ?? ''));
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ value }) => value(row)))];
  return lines.map((values) => `${values.map(field).join(',')}\n`).join('');
}
