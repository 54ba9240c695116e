/** The rows of a delimited table: equally wide records, without comments and empty rows. */
import { countText, invalidData } from '../dataError.js';
import { isNumeric } from '../tables/tableCells.js';
import { splitLine, type Delimiter } from './dialect.js';
import { OTHER_WIDTH, type TextRecord } from './records.js';

export interface RowFacts {
  /** The last comment before the first row, as cells: numpy.savetxt writes the column names there. */
  namesInComment: string[] | null;
  comments: number;
  empty: number;
}

/** "# 5.1,3.5,0": a commented-out row. */
const TAKEN_OUT = /^#\s*[-+.]?\d/;

/**
 * Rows of the width of the first. A header that is one cell shorter than the rows gets an empty name: at its end where the
 * rows end with a delimiter, else at its start, as R writes row names.
 * @throws UserError('data-invalid') with the line of a row of another width.
 */
export async function* rowsOf(
  name: string,
  delimiter: Delimiter,
  records: AsyncGenerator<TextRecord, undefined>,
  facts: RowFacts,
): AsyncGenerator<TextRecord, undefined> {
  let first: TextRecord | null = null;
  let width: number | null = null;
  let lead: string | null = null;
  try {
    for await (const record of records) {
      const { cells, line } = record;
      const mark = cells[0]!.startsWith('#');
      if (first === null && width === null) {
        if (mark) {
          lead = cells[0]!;
          facts.comments++;
          continue;
        }
        if (lead !== null) {
          const names = splitLine(lead.slice(1), delimiter);
          facts.namesInComment = names.length === cells.length ? names : null;
        }
        first = record;
        continue;
      }
      if (mark && (cells.length !== (width ?? first!.cells.length) || TAKEN_OUT.test(cells[0]!))) {
        facts.comments++;
        continue;
      }
      if (cells.length > 1 && cells.every((cell) => cell.trim() === '')) {
        facts.empty++;
        continue;
      }
      if (first) {
        const header = !first.cells.some(isNumeric);
        if (header && cells.length === first.cells.length + 1)
          if (cells.at(-1)!.trim() === '') first.cells.push('');
          else first.cells.unshift('');
        width = first.cells.length;
        yield first;
        first = null;
      }
      if (cells.length !== width) throw invalidData(name, `line ${line}: ${OTHER_WIDTH}`);
      yield record;
    }
    if (first) yield first;
  } finally {
    await records.return(undefined);
  }
}

/** What was skipped, as sentences. */
export function leftOut({ comments, empty }: RowFacts): string[] {
  const notes: string[] = [];
  if (comments > 0) notes.push(`Lines that begin with # are no data: ${countText(comments)} left out.`);
  if (empty > 0) notes.push(`Rows without any value are no data: ${countText(empty)} left out.`);
  return notes;
}
