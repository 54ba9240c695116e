/**
 * The columns of a list of runs, declared once: for the table in the editor, its order and its search, copying and saving it, and `lc-prune runs`.
 */
import { UNLIKE } from './errorWords.js';
import { bytes, duration, percent } from '../format.js';
import { shortDate } from './runLabel.js';
import type { RunRow } from './runRow.js';
import { STATE_NAMES } from './stateNames.js';

/** Translates a text of the table; the identity without translations. */
export type Say = (text: string, ...values: (string | number)[]) => string;
const plain: Say = (text, ...values) => text.replace(/\{(\d+)\}/g, (_, i: string) => String(values[Number(i)] ?? ''));

/** The type of a column's values, for sorting and for other programs: texts, numbers, or milliseconds since the epoch. */
type Kind = 'text' | 'number' | 'date';

export interface RunColumn {
  readonly id: string;
  /** English; translated where it is shown. */
  readonly title: string;
  readonly kind: Kind;
  /** The value that it is sorted by and exported as; null: none, last in either order. */
  value(row: RunRow): string | number | null;
  /** The displayed text; '' if there is none. */
  text(row: RunRow, say?: Say): string;
  /** Left out of the table if all its cells are empty. */
  readonly isOptional?: true;
  /** For other programs only. */
  readonly isHidden?: true;
}

export const stateText = (state: RunRow['state'], say: Say = plain): string => say(STATE_NAMES[state]);

/** A column of text that is shown as it is. */
const textColumn = (id: keyof RunRow, title: string, part: Partial<RunColumn> = {}): RunColumn => ({
  id,
  title,
  kind: 'text',
  value: (row) => String(row[id]) || null,
  text: (row) => String(row[id]),
  ...part,
});

/** A column of numbers; `null` is shown as nothing. */
const numberColumn = (
  id: string,
  title: string,
  value: (row: RunRow) => number | null,
  write: (value: number) => string,
): RunColumn => ({
  id,
  title,
  kind: 'number',
  value,
  text: (row) => {
    const found = value(row);
    return found === null ? '' : write(found);
  },
});

const difference = ({ error, referenceError }: RunRow): number | null =>
  error === null || referenceError === null ? null : error - referenceError;

export const RUN_COLUMNS: readonly RunColumn[] = [
  textColumn('run', 'Run', { isHidden: true }),
  {
    id: 'star',
    title: 'Star',
    kind: 'number',
    // Starred ones first, because numbers sort descending.
    value: ({ star }) => (star ? 1 : 0),
    text: ({ star }) => (star ? '★' : ''),
  },
  {
    id: 'plan',
    title: 'Plan',
    kind: 'text',
    value: ({ name, point }) => (point === null ? name : `${name} ${point}`),
    text: ({ name, point }, say = plain) => (point === null ? name : say('Point {0}', point)),
  },
  {
    id: 'state',
    title: 'State',
    kind: 'text',
    value: ({ state }) => STATE_NAMES[state],
    text: ({ state }, say) => stateText(state, say),
  },
  textColumn('place', 'Where', { isOptional: true }),
  { ...numberColumn('progress', 'Progress', ({ progress }) => progress, (progress) => percent(progress, 0)), isHidden: true },
  { id: 'date', title: 'Date', kind: 'date', value: ({ started }) => started, text: ({ started }) => shortDate(started) },
  textColumn('budget', 'Budget'),
  numberColumn('kept', 'Kept', ({ kept }) => kept, (kept) => percent(kept)),
  {
    ...numberColumn('error', 'Error', ({ error }) => error, (error) => percent(error)),
    text: ({ error, unlabelled }) => (error === null ? '' : `${percent(error)}${unlabelled ? ` ${UNLIKE}` : ''}`),
  },
  numberColumn('difference', 'Difference', difference, (value) => `${value > 0 ? '+' : ''}${percent(value)}`),
  numberColumn('size', 'Size', (row) => row.bytes, bytes),
  numberColumn('time', 'Time', ({ seconds }) => seconds, duration),
  textColumn('engine', 'Engine'),
  numberColumn('reference', 'Reference', ({ referenceError }) => referenceError, (error) => percent(error)),
  textColumn('method', 'Method'),
  textColumn('model', 'Model'),
  textColumn('folder', 'Folder', { isOptional: true }),
  { id: 'tags', title: 'Tags', kind: 'text', value: ({ tags }) => tags.join(', ') || null, text: ({ tags }) => tags.join(', ') },
  textColumn('note', 'Note'),
  textColumn('caution', 'Warnings', { isHidden: true }),
]; // prettier-ignore

/** The columns that a table of these rows shows. */
export const shownColumns = (rows: readonly RunRow[]): RunColumn[] =>
  RUN_COLUMNS.filter(
    ({ isHidden, isOptional, value }) => !isHidden && (!isOptional || rows.some((row) => value(row) !== null)),
  );

export const columnOf = (id: string): RunColumn | undefined => RUN_COLUMNS.find((column) => column.id === id);

export type Direction = 'ascending' | 'descending';
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Compares rows by a column; rows without a value come last in either direction, and equal ones keep their order. */
export function byColumn({ value }: RunColumn, direction: Direction): (a: RunRow, b: RunRow) => number {
  const sign = direction === 'ascending' ? 1 : -1;
  const isNone = (x: string | number | null) => x === null || (typeof x === 'number' && Number.isNaN(x));
  return (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (isNone(x) || isNone(y)) return Number(isNone(x)) - Number(isNone(y));
    if (typeof x === 'number' && typeof y === 'number') return sign * (x - y);
    return sign * collator.compare(String(x), String(y));
  };
}

/** The text that a search is applied to: the texts of all text columns, in lower case. */
export const searchText = (row: RunRow, say?: Say): string =>
  RUN_COLUMNS.filter(({ kind }) => kind !== 'number')
    .map((column) => column.text(row, say))
    .join('\n')
    .toLowerCase();

/** The words of a search; a row matches if it contains all of them. */
export const searchWords = (query: string): string[] => query.toLowerCase().split(/\s+/).filter(Boolean);
export const fits = (text: string, words: readonly string[]): boolean => words.every((word) => text.includes(word));

/** A value for other programs: numbers in full, dates in ISO 8601. */
function machineText({ kind, value }: RunColumn, row: RunRow): string {
  const found = value(row);
  if (found === null) return '';
  return kind === 'date' ? new Date(found).toISOString() : String(found);
}

/** RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in front. */
function csvCell(text: string, isText: boolean): string {
  const safe = isText && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Rows as comma-separated values, every column, with a line of titles. Lines end with CR LF. */
export function runsCsv(rows: readonly RunRow[]): string {
  const point = { title: 'Point', of: (row: RunRow) => (row.point === null ? '' : String(row.point)) };
  const lines = rows.map((row) => [
    ...RUN_COLUMNS.map((column) => csvCell(machineText(column, row), column.kind === 'text')),
    point.of(row),
  ]);
  return [[...RUN_COLUMNS.map(({ title }) => title), point.title], ...lines]
    .map((cells) => `${cells.join(',')}\r\n`)
    .join('');
}

/** Rows as a Markdown table of the visible columns, with the displayed texts. */
export function runsMarkdown(rows: readonly RunRow[], say: Say = plain): string {
  const columns = shownColumns(rows);
  const cell = (text: string) => text.replace(/[\\|`*_<>[\]]/g, '\\$&').replace(/\s*\n\s*/g, ' ');
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return [
    line(columns.map(({ title }) => say(title))),
    line(columns.map(({ kind }) => (kind === 'number' ? '--:' : '---'))),
    ...rows.map((row) => line(columns.map((column) => cell(column.text(row, say))))),
  ].join('');
}
