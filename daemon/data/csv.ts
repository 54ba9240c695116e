import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { CsvError, parse } from 'csv-parse';
import { sha256 } from './arrayFile.js';
import { invalidData } from './dataError.js';
import type { ReadContext } from './openOptions.js';
import type { RawDataset } from './rawDataset.js';
import { readHead, type SourceFile } from './sourceFile.js';
import { isNumeric } from './tableColumns.js';
import { readTablePart, type Table } from './tableSource.js';

const SNIFF_BYTES = 65536;
const DELIMITERS = [',', ';', '\t', '|'];
/** One record; more is a quote that was never closed, or no CSV. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/**
 * CSV data of a plan: UTF-8 (with or without BOM), LF or CRLF, quoted fields, separated by comma, semicolon, tab or bar;
 * a header where the first row is no data.
 */
export async function readCsvSource(context: ReadContext): Promise<RawDataset> {
  const { source, test } = context;
  const train = await openCsv(source);
  const { part, schema } = await readTablePart(source, train.table, context, null);
  if (!test) return { title: `Table ${source.name}`, train: part, hash: train.hash(), notes: schema.columns.notes };
  const tested = await openCsv(test);
  const second = await readTablePart(test, tested.table, context, schema);
  return {
    title: `Table ${source.name}`,
    train: part,
    test: second.part,
    hash: sha256(train.hash(), tested.hash()),
    notes: schema.columns.notes,
  };
}

/** @returns the table, and its file's sha256 (once the rows have been read). */
export async function openCsv(file: SourceFile): Promise<{ table: Table; hash(): string }> {
  const head = Buffer.from(readHead(file, SNIFF_BYTES));
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff) || head.includes(0))
    throw invalidData(file.name, 'this is not UTF-8 text; save the table as CSV in UTF-8');
  const digest = createHash('sha256');
  const records = readRecords(file, sniffDelimiter(head.toString('utf8')), digest);
  const first = await records.next();
  if (first.done) throw invalidData(file.name, 'there are no rows in it');
  const second = await records.next();
  const names = hasHeader(first.value, second.done ? null : second.value) ? uniqueNames(file, first.value) : null;
  const lineOffset = names ? 2 : 1;
  const table: Table = {
    names,
    rowName: (i) => `line ${i + lineOffset}`,
    rows: (async function* () {
      if (!names) yield first.value;
      if (!second.done) yield second.value;
      yield* records;
    })(),
  };
  return { table, hash: () => digest.digest('hex') };
}

async function* readRecords(file: SourceFile, delimiter: string, digest: Hash): AsyncGenerator<string[], undefined> {
  const input = createReadStream(file.path);
  const parser = parse({ bom: true, delimiter, trim: true, skip_empty_lines: true, max_record_size: MAX_RECORD_BYTES });
  input.on('data', (chunk) => digest.update(chunk));
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const record of parser) yield record as string[];
  } catch (error) {
    if (error instanceof CsvError) throw csvProblem(file, error);
    throw error;
  } finally {
    input.destroy();
    parser.destroy();
  }
}

function csvProblem(file: SourceFile, error: CsvError) {
  const line = typeof error['lines'] === 'number' ? `line ${error['lines']}: ` : '';
  if (error.code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH')
    return invalidData(file.name, `${line}the row has another number of columns than the first`);
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return invalidData(file.name, `${line}a quote is never closed`);
  if (error.code === 'CSV_MAX_RECORD_SIZE')
    return invalidData(file.name, `${line}a row of more than 16 MB: this is no CSV, or a quote is never closed`);
  return invalidData(file.name, `${line}this is not well-formed CSV (${error.message.split('\n')[0]})`);
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
  return first.some((cell, i) => !isNumeric(cell) && cell !== '' && isNumeric(second[i] ?? ''));
}

function uniqueNames(file: SourceFile, names: readonly string[]): readonly string[] {
  const twice = names.find((name, i) => name !== '' && names.indexOf(name) !== i);
  if (twice !== undefined) throw invalidData(file.name, `two columns are called ${JSON.stringify(twice)}; rename one`);
  return names;
}
