import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gunzipSync, constants } from 'node:zlib';
import { invalidData } from '../dataError.js';
import { findDelimiter, findNumberStyle, plainNumber } from '../delimited/dialect.js';
import { readRecords, type TextRecord } from '../delimited/records.js';
import { leftOut, rowsOf, type RowFacts } from '../delimited/rows.js';
import { textOfBytes } from '../delimited/textOfBytes.js';
import { isGzip } from './idx.js';
import type { ReadContext } from '../openOptions.js';
import type { RawDataset } from '../rawDataset.js';
import { readHead, type SourceFile } from './sourceFile.js';
import { isBoolean, isNumeric } from '../tables/tableCells.js';
import { SAMPLE_ROWS, type Table } from '../tables/table.js';
import { readTables } from '../tables/tableSource.js';

const SNIFF_BYTES = 65536;
/** A first row 0, 1, 2, ... of at least this length has the names that pandas gives to unnamed columns. */
const NUMBERED_COLUMNS = 4;

/**
 * CSV data of a plan: UTF-8, UTF-16 or Windows-1252, plain or gzip, any line ends, quoted fields, separated by comma, semicolon, tab, bar or spaces.
 * The header is a first row that is not data, or a comment.
 */
export async function readCsvSource(context: ReadContext): Promise<RawDataset> {
  const { source, test } = context;
  return readTables(await openCsv(source), test && (() => openCsv(test)), context);
}

async function openCsv(file: SourceFile): Promise<Table> {
  const notes: string[] = [];
  const stored = readHead(file, SNIFF_BYTES);
  const start = unpackedHead(file.name, stored);
  const note = (sentence: string) => void notes.push(sentence);
  const digest = createHash('sha256');
  const delimiter = findDelimiter(await headText(file.name, start));
  const facts: RowFacts = { namesInComment: null, comments: 0, empty: 0 };
  const text = textOfBytes(file.name, start, bytesOf(file, isGzip(stored), digest), note);
  const rows = rowsOf(file.name, delimiter, readRecords(file.name, delimiter, text), facts);
  const head: TextRecord[] = [];
  for (let next = await rows.next(); !next.done; next = await rows.next()) {
    head.push(next.value);
    if (head.length > SAMPLE_ROWS) break;
  }
  const [first, second] = head;
  if (!first) throw invalidData(file.name, 'there are no rows in it');
  const style = findNumberStyle(
    head.map(({ cells }) => cells),
    delimiter,
  );
  if (style.note) note(style.note);
  const isPlain = style.decimal === '.' && style.note === null;
  const plain = ({ cells }: TextRecord) => (isPlain ? cells : cells.map((cell) => plainNumber(cell, style)));
  let names: readonly string[] | null = null;
  if (hasHeader(plain(first), second ? plain(second) : null)) names = head.shift()!.cells;
  else if (facts.namesInComment && hasHeader(facts.namesInComment, plain(first))) names = facts.namesInComment;
  else if (second && areNumbered(first.cells)) {
    names = head.shift()!.cells;
    note('The first row, which counts the columns, is taken for their names.');
  }
  let line = (head[0] ?? first).line;
  return {
    name: file.name,
    names: names && uniqueNames(file, names),
    head: head.map(plain),
    rowName: () => `line ${line}`,
    classNames: () => null,
    isIndex: () => false,
    notes: () => [...notes, ...leftOut(facts)],
    async *rows() {
      for (const record of head) {
        line = record.line;
        yield plain(record);
      }
      for await (const record of rows) {
        line = record.line;
        yield plain(record);
      }
    },
    hash: () => digest.digest('hex'),
    async close() {
      await rows.return(undefined);
    },
  };
}

/** The first bytes of the text, unpacked. */
function unpackedHead(name: string, head: Uint8Array): Uint8Array {
  if (!isGzip(head)) return head;
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 1032 * SNIFF_BYTES }).subarray(
      0,
      SNIFF_BYTES,
    );
  } catch {
    throw invalidData(name, 'the gzip data is damaged; get the file again');
  }
}

async function headText(name: string, head: Uint8Array): Promise<string> {
  // The last character may be incomplete; the detection does not depend on the end of the last line.
  const whole = head.length < SNIFF_BYTES ? head : head.subarray(0, (head.lastIndexOf(0x0a) + 1 || head.length) & ~1);
  let text = '';
  const bytes = (async function* () {
    yield whole;
  })();
  for await (const piece of textOfBytes(name, head, bytes, () => undefined)) text += piece;
  return text;
}

/** The file's bytes, decompressed if they are gzip; `digest` takes those of the file. */
async function* bytesOf(file: SourceFile, packed: boolean, digest: Hash): AsyncGenerator<Uint8Array, undefined> {
  const stored = async function* (): AsyncGenerator<Uint8Array, undefined> {
    for await (const bytes of createReadStream(file.path) as AsyncIterable<Buffer>) {
      digest.update(bytes);
      yield bytes;
    }
  };
  if (!packed) {
    yield* stored();
    return;
  }
  const unpacked = createGunzip();
  const done = pipeline(stored, unpacked).catch(() => undefined);
  try {
    yield* unpacked as AsyncIterable<Uint8Array>;
    await done;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') !== true) throw error;
    throw invalidData(file.name, 'the gzip data is damaged or cut short; get the file again');
  }
}

/** A first row with a text above a number, or of texts only above a cell that begins like a number ("45%", a date). */
function hasHeader(first: readonly string[], second: readonly string[] | null): boolean {
  if (!second) return first.every((cell) => !isNumeric(cell));
  const isValue = (cell: string): boolean => isNumeric(cell) || isBoolean(cell);
  const begins = (cell: string): boolean => isBoolean(cell) || /^\s*[-+$€£]?\.?\d/.test(cell);
  return (
    first.some((cell, i) => !isValue(cell) && cell.trim() !== '' && isValue(second[i] ?? '')) ||
    (!first.some(begins) && second.some(begins))
  );
}

/** 0, 1, 2, ... in a first row, perhaps behind an empty cell above the row numbers. */
function areNumbered(cells: readonly string[]): boolean {
  const numbers = cells[0]!.trim() === '' ? cells.slice(1) : cells;
  const enough = cells.length > numbers.length ? 1 : NUMBERED_COLUMNS;
  return numbers.length >= enough && numbers.every((cell, i) => cell.trim() === String(i));
}

function uniqueNames(file: SourceFile, cells: readonly string[]): readonly string[] {
  const names = cells.map((cell) => cell.trim());
  const twice = names.find((name, i) => name !== '' && names.indexOf(name) !== i);
  if (twice !== undefined) throw invalidData(file.name, `two columns are called ${JSON.stringify(twice)}; rename one`);
  return names;
}
