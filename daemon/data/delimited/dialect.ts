/** Detects the layout of a text table from its first lines. */
import { isNumeric } from '../tables/tableCells.js';

/** null: runs of white space, as in files of numpy.savetxt and many old data sets. */
export type Delimiter = ',' | ';' | '\t' | '|' | null;

const DELIMITERS = [',', ';', '\t', '|'] as const;
const LOOKED_AT = 25;

/** A line with which Excel names the delimiter; it contains no data. */
export const SEPARATOR_LINE = /^sep=(.)\s*$/i;

/** Cells of a line without quotes. */
export function splitLine(line: string, delimiter: Delimiter): string[] {
  return delimiter === null ? line.trim().split(/\s+/) : line.split(delimiter);
}

/**
 * The delimiter that splits the first lines into equally many cells, most of them numbers; if none does, the one that occurs most often in the first
 * line.
 * @param text the start of the file.
 */
export function findDelimiter(text: string): Delimiter {
  // Delimiters in quotes do not count.
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

/** The meaning of "," and "." in the numbers of a table. */
export interface NumberStyle {
  /** null: undecided. */
  readonly decimal: '.' | ',' | null;
  /** A note for the user if the choice is not obvious. */
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
 * Decided by the majority of cells with a single meaning ("0,5", "1,234,567", "1.5"). Without such cells, a comma is the decimal sign between
 * semicolons, as spreadsheets write it.
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

/** A cell with its number in plain form, "1234.5"; any other cell unchanged. */
export function plainNumber(cell: string, { decimal }: NumberStyle): string {
  const text = cell.trim();
  if (decimal === null)
    return AMBIGUOUS.test(text) && text.includes(',')
      ? `${text} (${text.replace(',', '.')} or ${text.replace(',', '')}?)`
      : cell;
  if (decimal === '.') return text.includes(',') && WITH_SEPARATOR[','].test(text) ? text.replaceAll(',', '') : cell;
  if (WITH_SEPARATOR['.'].test(text)) return text.replaceAll('.', '').replace(',', '.');
  if (/^[-+]?\d*,\d+(e[-+]?\d+)?$/i.test(text)) return text.replace(',', '.');
  // A point is not a decimal sign here: "1.5" stays text.
  return DECIMAL_POINT.test(text) ? `${text} (decimal point)` : cell;
}
