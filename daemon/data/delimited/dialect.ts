/** How a table in a text file is laid out: found from its first lines. */
import { isNumeric } from '../tables/tableCells.js';

/** null: runs of white space, as numpy.savetxt and many old data sets have it. */
export type Delimiter = ',' | ';' | '\t' | '|' | null;

const DELIMITERS = [',', ';', '\t', '|'] as const;
const LOOKED_AT = 25;

/** A line of Excel's that names the delimiter instead of holding data. */
export const SEPARATOR_LINE = /^sep=(.)\s*$/i;

/** Cells of a line without quotes. */
export function splitLine(line: string, delimiter: Delimiter): string[] {
  return delimiter === null ? line.trim().split(/\s+/) : line.split(delimiter);
}

/**
 * The delimiter that splits the first lines into equally many cells, most of them numbers; where none does, the one that
 * occurs most often in the first line.
 * @param text the start of the file.
 */
export function findDelimiter(text: string): Delimiter {
  // What is in quotes separates nothing.
  const lines = text
    .replace(/"([^"]*)"/g, (_, inner: string) => inner.replace(/[\s,;|]/g, ''))
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .slice(0, LOOKED_AT);
  const stated = SEPARATOR_LINE.exec(lines[0] ?? '');
  if (stated) return DELIMITERS.find((delimiter) => delimiter === stated[1]) ?? ',';
  const consistent = DELIMITERS.flatMap((delimiter) => {
    const rows = lines.map((line) => line.split(delimiter));
    const columns = rows[0]?.length ?? 0;
    if (columns < 2 || rows.some((row) => row.length !== columns)) return [];
    const cells = rows.flat();
    return [{ delimiter, columns, numbers: cells.filter(looksNumeric).length / cells.length }];
  });
  consistent.sort((a, b) => b.numbers - a.numbers || b.columns - a.columns);
  if (consistent[0]) return consistent[0].delimiter;
  const counts = DELIMITERS.map((delimiter) => (lines[0] ?? '').split(delimiter).length);
  const most = Math.max(...counts);
  if (most > 1) return DELIMITERS[counts.indexOf(most)]!;
  const words = lines.map((line) => splitLine(line, null).length);
  return words.length > 0 && words.at(-1)! > 1 ? null : ',';
}

const looksNumeric = (cell: string): boolean => isNumeric(cell) || /^\s*[-+]?\d[\d.]*,\d+\s*$/.test(cell);

/** What "," and "." stand for in the numbers of a table. */
export interface NumberStyle {
  /** null: nothing says which of the two the comma is. */
  readonly decimal: '.' | ',' | null;
  /** A sentence for the user where it is not the plain one. */
  readonly note: string | null;
}

/** A cell that may be 1.234 or 1234. */
const AMBIGUOUS = /^[-+]?[1-9]\d{0,2}[.,]\d{3}$/;
const WITH_SEPARATOR = {
  ',': /^[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/,
  '.': /^[-+]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?$/,
} as const;
const DECIMAL_COMMA = /^[-+]?\d*,\d+$/;
const DECIMAL_POINT = /^[-+]?\d*\.\d+(e[-+]?\d+)?$/i;

/**
 * By most of the cells that can be read in one way alone ("0,5", "1,234,567", "1.5"). Where there is none, a comma is the decimal sign
 * between semicolons, as spreadsheets write it.
 */
export function findNumberStyle(rows: readonly (readonly string[])[], delimiter: Delimiter): NumberStyle {
  let [points, commas, separated] = [0, 0, false];
  for (const row of rows) {
    for (const raw of row) {
      if (!raw.includes(',') && !raw.includes('.')) continue;
      const cell = raw.trim();
      if (AMBIGUOUS.test(cell)) separated ||= cell.includes(',');
      else if (DECIMAL_POINT.test(cell)) points++;
      else if (WITH_SEPARATOR[','].test(cell)) [points, separated] = [points + 1, true];
      else if (DECIMAL_COMMA.test(cell) || WITH_SEPARATOR['.'].test(cell)) commas++;
    }
  }
  if (commas > points) return { decimal: ',', note: 'Commas in numbers are decimal signs.' };
  if (points > 0) return { decimal: '.', note: separated ? 'Commas in numbers separate thousands.' : null };
  if (!separated) return { decimal: '.', note: null };
  return delimiter === ';'
    ? { decimal: ',', note: 'Commas in numbers are decimal signs.' }
    : { decimal: null, note: null };
}

/** A cell with the plain form of its number, "1234.5"; any other as it stands. */
export function plainNumber(cell: string, { decimal }: NumberStyle): string {
  const text = cell.trim();
  if (decimal === null)
    return AMBIGUOUS.test(text) && text.includes(',')
      ? `${text} (${text.replace(',', '.')} or ${text.replace(',', '')}?)`
      : cell;
  if (decimal === '.') return text.includes(',') && WITH_SEPARATOR[','].test(text) ? text.replaceAll(',', '') : cell;
  if (WITH_SEPARATOR['.'].test(text)) return text.replaceAll('.', '').replace(',', '.');
  if (/^[-+]?\d*,\d+(e[-+]?\d+)?$/i.test(text)) return text.replace(',', '.');
  // A point is no decimal sign here: "1.5" is not read as anything.
  return DECIMAL_POINT.test(text) ? `${text} (decimal point)` : cell;
}
