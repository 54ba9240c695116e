import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { CsvError, parse, type CsvErrorCode } from 'csv-parse';
import type { UserError } from '../protocol/errors.js';
import { invalidData } from './dataError.js';
import type { ReadContext } from './openOptions.js';
import type { RawDataset } from './rawDataset.js';
import { readHead, type SourceFile } from './sourceFile.js';
import { isNumeric } from './tableCells.js';
import { readTables, SAMPLE_ROWS, type Table } from './tableSource.js';

const SNIFF_BYTES = 65536;
const DELIMITERS = [',', ';', '\t', '|'];
/** One record; more is a quote that was never closed, or no CSV. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;
const OTHER_WIDTH = 'the row has another number of columns than the first';
const TOO_LONG = 'a row of more than 16 MB: this is no CSV, or a quote is never closed';

/**
 * CSV data of a plan: UTF-8 (with or without BOM), LF or CRLF, quoted fields, separated by comma, semicolon, tab or bar;
 * a header where the first row is no data.
 */
export async function readCsvSource(context: ReadContext): Promise<RawDataset> {
  const { source, test } = context;
  return readTables(await openCsv(source), test && (() => openCsv(test)), context);
}

async function openCsv(file: SourceFile): Promise<Table> {
  const start = Buffer.from(readHead(file, SNIFF_BYTES));
  if ((start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff) || start.includes(0))
    throw invalidData(file.name, 'this is not UTF-8 text; save the table as CSV in UTF-8');
  const digest = createHash('sha256');
  const records = readRecords(file, sniffDelimiter(start.toString('utf8')), digest);
  const head: string[][] = [];
  for (let next = await records.next(); !next.done; next = await records.next()) {
    head.push(next.value);
    if (head.length > SAMPLE_ROWS) break;
  }
  const [first, second] = head;
  if (!first) throw invalidData(file.name, 'there are no rows in it');
  const names = hasHeader(first, second ?? null)
    ? uniqueNames(
        file,
        first.map((cell) => cell.trim()),
      )
    : null;
  if (names) head.shift();
  const lineOffset = names ? 2 : 1;
  return {
    name: file.name,
    names,
    head,
    rowName: (i) => `line ${i + lineOffset}`,
    classNames: () => null,
    async *rows() {
      yield* head;
      yield* records;
    },
    hash: () => digest.digest('hex'),
    async close() {
      await records.return(undefined);
    },
  };
}

/**
 * Records of the file. Lines without quotes are split here, ten times faster than a general parser; from the first quote on,
 * csv-parse takes over.
 */
async function* readRecords(file: SourceFile, delimiter: string, digest: Hash): AsyncGenerator<string[], undefined> {
  const chunks = textChunks(file, digest);
  let rest = '';
  let lines = 0;
  let width: number | null = null;
  const split = (line: string): string[] | null => {
    lines++;
    if (line.trim() === '') return null;
    const cells = line.split(delimiter);
    width ??= cells.length;
    if (cells.length === width) return cells;
    throw invalidData(file.name, `line ${lines}: ${OTHER_WIDTH}`);
  };
  try {
    for await (const chunk of chunks) {
      rest += chunk;
      if (rest.includes('"') || (rest.includes('\r') && !rest.includes('\n'))) {
        yield* parseQuoted(file, delimiter, rest, chunks, lines, width);
        return;
      }
      const end = rest.lastIndexOf('\n');
      if (end < 0 && rest.length > MAX_RECORD_BYTES) throw invalidData(file.name, `line ${lines + 1}: ${TOO_LONG}`);
      if (end < 0) continue;
      const complete = rest.slice(0, end).split('\n');
      rest = rest.slice(end + 1);
      for (const line of complete) {
        const cells = split(line);
        if (cells) yield cells;
      }
    }
    const last = split(rest);
    if (last) yield last;
  } finally {
    await chunks.return(undefined);
  }
}

async function* textChunks(file: SourceFile, digest: Hash): AsyncGenerator<string, undefined> {
  // TextDecoder drops the byte order mark.
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let read = 0;
  const decode = (bytes?: Buffer): string => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
    } catch {
      throw invalidData(
        file.name,
        `this is not UTF-8 text (somewhere after byte ${read}); save the table as CSV in UTF-8`,
      );
    }
  };
  for await (const bytes of createReadStream(file.path) as AsyncIterable<Buffer>) {
    digest.update(bytes);
    yield decode(bytes);
    read += bytes.length;
  }
  yield decode();
}

async function* parseQuoted(
  file: SourceFile,
  delimiter: string,
  first: string,
  chunks: AsyncGenerator<string, undefined>,
  linesBefore: number,
  width: number | null,
): AsyncGenerator<string[], undefined> {
  const parser = parse({ delimiter, trim: true, skip_empty_lines: true, max_record_size: MAX_RECORD_BYTES });
  const input = Readable.from(
    (async function* () {
      yield first;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    })(),
  );
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      if (width !== null && record.length !== width)
        throw invalidData(file.name, `line ${linesBefore + parser.info.lines}: ${OTHER_WIDTH}`);
      yield record;
    }
  } catch (error) {
    if (error instanceof CsvError) throw csvProblem(file, error, linesBefore);
    throw error;
  } finally {
    input.destroy();
    parser.destroy();
  }
}

function csvProblem(file: SourceFile, error: CsvError, linesBefore: number): UserError {
  const line = typeof error['lines'] === 'number' ? `line ${linesBefore + error['lines']}: ` : '';
  const problem: Partial<Record<CsvErrorCode, string>> = {
    CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: OTHER_WIDTH,
    CSV_QUOTE_NOT_CLOSED: 'a quote is never closed',
    CSV_MAX_RECORD_SIZE: TOO_LONG,
  };
  const why = problem[error.code] ?? `this is not well-formed CSV (${error.message.split('\n')[0]})`;
  return invalidData(file.name, `${line}${why}`);
}

/** The candidate that occurs most often outside quotes in the first line. */
function sniffDelimiter(text: string): string {
  const line = (text.split(/\r?\n/).find((part) => part.trim() !== '') ?? '').replace(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((delimiter) => line.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

/** A first row with a text cell above a number, or of texts alone above anything but texts alone. */
function hasHeader(first: readonly string[], second: readonly string[] | null): boolean {
  if (!second) return first.every((cell) => !isNumeric(cell));
  return first.some((cell, i) => !isNumeric(cell) && cell.trim() !== '' && isNumeric(second[i] ?? ''));
}

function uniqueNames(file: SourceFile, names: readonly string[]): readonly string[] {
  const twice = names.find((name, i) => name !== '' && names.indexOf(name) !== i);
  if (twice !== undefined) throw invalidData(file.name, `two columns are called ${JSON.stringify(twice)}; rename one`);
  return names;
}
