/** Records of delimited text: cells with the line they begin on. */
import { Readable } from 'node:stream';
import { CsvError, parse, type CsvErrorCode } from 'csv-parse';
import type { UserError } from '../../protocol/errors.js';
import { invalidData } from '../dataError.js';
import { SEPARATOR_LINE, splitLine, type Delimiter } from './dialect.js';

export interface TextRecord {
  readonly cells: string[];
  /** From 1. */
  readonly line: number;
}

/** Most characters of a record; a longer one has an unclosed quote, or is not CSV. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;
export const OTHER_WIDTH = 'the row has another number of columns than the first';
const TOO_LONG = 'a row of more than 16 MB: this is no CSV, or a quote is never closed';
const WORD = /"((?:[^"]|"")*)"|\S+/g;

/**
 * Records in order, without blank lines; a line that begins with "#" before the first record is one cell. Lines without
 * quotes are split here, ten times faster than a general parser; from the first quote on, csv-parse takes over.
 * @throws UserError('data-invalid') for a quote that is never closed and the like.
 */
export async function* readRecords(
  name: string,
  delimiter: Delimiter,
  chunks: AsyncGenerator<string, undefined>,
): AsyncGenerator<TextRecord, undefined> {
  let rest = '';
  let lines = 0;
  let started = false;
  const record = (text: string): TextRecord | null => {
    lines++;
    if (text.trim() === '' || (lines === 1 && SEPARATOR_LINE.test(text))) return null;
    if (!started && text.startsWith('#')) return { cells: [text.trimEnd()], line: lines };
    started = true;
    if (delimiter !== null || !text.includes('"')) return { cells: splitLine(text, delimiter), line: lines };
    const words = [...text.matchAll(WORD)];
    return { cells: words.map(([word, quoted]) => quoted?.replaceAll('""', '"') ?? word), line: lines };
  };
  try {
    for await (const chunk of chunks) {
      rest += chunk;
      // Quotes in a leading comment do not count.
      while (!started && rest.includes('\n') && /^(#|sep=.\s*\r?\n|\s*\r?\n)/i.test(rest)) {
        const end = rest.indexOf('\n');
        const leading = record(rest.slice(0, end));
        rest = rest.slice(end + 1);
        if (leading) yield leading;
      }
      const macLines = rest.includes('\r') && !rest.includes('\n');
      if (delimiter !== null && (rest.includes('"') || macLines)) {
        yield* parseQuoted(name, delimiter, rest, chunks, lines);
        return;
      }
      const end = rest.lastIndexOf('\n');
      if (end < 0 && rest.length > MAX_RECORD_BYTES) throw invalidData(name, `line ${lines + 1}: ${TOO_LONG}`);
      if (end < 0) continue;
      const complete = rest.slice(0, end).split('\n');
      rest = rest.slice(end + 1);
      for (const line of complete) {
        const next = record(line);
        if (next) yield next;
      }
    }
    const last = record(rest);
    if (last) yield last;
  } finally {
    await chunks.return(undefined);
  }
}

async function* parseQuoted(
  name: string,
  delimiter: string,
  first: string,
  chunks: AsyncGenerator<string, undefined>,
  linesBefore: number,
): AsyncGenerator<TextRecord, undefined> {
  const parser = parse({
    delimiter,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: MAX_RECORD_BYTES,
    info: true,
  });
  const input = Readable.from(
    (async function* () {
      yield first;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    })(),
  );
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      const inside = record.reduce((sum, cell) => sum + (cell.match(/\n/g)?.length ?? 0), 0);
      yield { cells: record, line: linesBefore + info.lines - inside };
    }
  } catch (error) {
    if (error instanceof CsvError) throw csvProblem(name, error, linesBefore);
    throw error;
  } finally {
    input.destroy();
    parser.destroy();
  }
}

function csvProblem(name: string, error: CsvError, linesBefore: number): UserError {
  const line = typeof error['lines'] === 'number' ? `line ${linesBefore + error['lines']}: ` : '';
  const problem: Partial<Record<CsvErrorCode, string>> = {
    CSV_QUOTE_NOT_CLOSED: 'a quote is never closed',
    CSV_MAX_RECORD_SIZE: TOO_LONG,
  };
  const why = problem[error.code] ?? `this is not well-formed CSV (${error.message.split('\n')[0]})`;
  return invalidData(name, `${line}${why}`);
}
