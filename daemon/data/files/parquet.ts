import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetScan, parquetSchema, type FileMetaData } from 'hyparquet';
import { UserError } from '../../protocol/errors.js';
import { countText, invalidData, listText, missingData } from '../dataError.js';
import type { ReadContext } from '../openOptions.js';
import { decompressors } from './parquetCompression.js';
import type { RawDataset } from '../rawDataset.js';
import { readHead, statSource, type SourceFile } from './sourceFile.js';
import type { Cell } from '../tables/tableCells.js';
import { SAMPLE_ROWS, type Table } from '../tables/table.js';
import { readTables } from '../tables/tableSource.js';

/** Most bytes of decoded cells in memory at a time; a row group is decoded slice by slice. */
const SLICE_BYTES = 128 * 1024 * 1024;
/** Least memory of a cell, however well it was compressed. */
const CELL_BYTES = 8;

const TRAIN = /(^|[^a-z])train/i;
const TEST = /(^|[^a-z])(test|val)/i;

/**
 * Parquet data of a plan: a file, or a folder of files as Hugging Face's data sets are published (train-00000-of-00002.parquet,
 * test-..., in the folder itself, in "data", or in a folder for each part). Columns of numbers, texts, booleans, lists of
 * numbers, and PNG or JPEG files; every codec in use, dictionaries, nested columns.
 */
export async function readParquetSource(context: ReadContext): Promise<RawDataset> {
  const { source, test, resolve } = context;
  if (!(await statSource(source)).directory)
    return readTables(
      await openParquet([source], source.name),
      test && (() => openParquet([test], test.name)),
      context,
    );
  const files = await parquetFiles(source, resolve);
  const of = (wanted: RegExp) => files.filter(({ name }) => wanted.test(name.slice(source.name.length)));
  const testFiles = test ? [] : of(/(^|[^a-z])test/i).length > 0 ? of(/(^|[^a-z])test/i) : of(TEST);
  const trainFiles = of(TRAIN).length > 0 ? of(TRAIN) : files.filter((file) => !testFiles.includes(file));
  if (trainFiles.length === 0)
    throw missingData(source.name, `no parquet file to train on; it has ${listText(files.map(({ name }) => name))}`);
  const openTest = test
    ? async () =>
        openParquet((await statSource(test)).directory ? await parquetFiles(test, resolve) : [test], test.name)
    : testFiles.length > 0 && (() => openParquet(testFiles, `${source.name} (test files)`));
  return readTables(await openParquet(trainFiles, source.name), openTest || null, context);
}

export const isParquetName = (name: string): boolean => /\.parquet$/i.test(name);

/** Parquet files of a folder and the folders in it, sorted by path. */
export async function parquetFiles(folder: SourceFile, resolve: ReadContext['resolve']): Promise<SourceFile[]> {
  const entries = await readdir(folder.path, { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory() && isParquetName(entry.name) && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Promise.all(paths.map((path) => resolve(path, `${folder.name}${path.slice(folder.path.length)}`)));
}

interface ParquetFile {
  readonly file: SourceFile;
  readonly metadata: FileMetaData;
  readonly names: readonly string[];
}

/** Files of the same columns as one table, one after the other. @param name their common name in messages. */
export async function openParquet(sources: readonly SourceFile[], name: string): Promise<Table> {
  const files: ParquetFile[] = [];
  for (const source of sources) files.push(await openFile(source));
  const { names } = files[0]!;
  for (const other of files) {
    const missing = names.find((column) => !other.names.includes(column));
    if (missing !== undefined)
      throw invalidData(
        other.file.name,
        `the column ${JSON.stringify(missing)} of ${files[0]!.file.name} is not in it; it has ${listText(other.names)}`,
      );
  }
  const classes = classNamesOf(files[0]!.metadata);
  const indexes = indexesOf(files[0]!.metadata);
  const starts: number[] = [];
  files.reduce((sum, { metadata }) => (starts.push(sum), sum + Number(metadata.num_rows)), 0);
  async function* rows(columns: readonly number[]): AsyncGenerator<readonly Cell[]> {
    for (const file of files) yield* rowsOf(file, names, columns);
  }
  return {
    name,
    names,
    head: await firstRows(files, names),
    rows,
    rowName(i) {
      const file = starts.findLastIndex((start) => start <= i);
      const row = `row ${i - starts[file]! + 1}`;
      return files.length > 1 ? `${files[file]!.file.name}, ${row}` : row;
    },
    classNames: (column) => classes.get(names[column]!) ?? null,
    isIndex: (column) => indexes.has(names[column]!),
    notes: () => [],
    hash: () => hashOf(files),
    close: async () => {},
  };
}

async function firstRows(files: readonly ParquetFile[], names: readonly string[]): Promise<(readonly Cell[])[]> {
  const head: (readonly Cell[])[] = [];
  const all = names.map((_, i) => i);
  for (const file of files)
    for await (const row of rowsOf(file, names, all, SAMPLE_ROWS)) if (head.push(row) === SAMPLE_ROWS) return head;
  return head;
}

async function openFile(file: SourceFile): Promise<ParquetFile> {
  const { bytes } = await statSource(file);
  const magic = Buffer.from(readHead(file, 4)).toString('latin1');
  if (magic !== 'PAR1' || bytes < 12)
    throw invalidData(file.name, 'this is not a parquet file (it does not start with PAR1)');
  const buffer = await asyncBufferFromFile(file.path);
  const metadata = await readable(file, () => parquetMetadataAsync(buffer));
  const { children } = await readable(file, async () => parquetSchema(metadata));
  return { file, metadata, names: children.map((column) => column.element.name) };
}

/**
 * The rows of a file in slices of a row group, each of whose columns is decoded once; only `columns` are read.
 * @param atMost rows in a slice, if no more are needed.
 */
async function* rowsOf(
  { file, metadata, names: own }: ParquetFile,
  names: readonly string[],
  columns: readonly number[],
  atMost = Infinity,
): AsyncGenerator<readonly Cell[]> {
  const wanted = [...new Set(columns)];
  const compressors = await decompressors(metadata);
  const buffer = await asyncBufferFromFile(file.path);
  const scan = await readable(file, () =>
    parquetScan({ file: buffer, metadata, compressors, utf8: false, columns: wanted.map((i) => names[i]!) }),
  );
  let start = 0;
  for (const group of metadata.row_groups) {
    const rowCount = Number(group.num_rows);
    const packed = group.columns.reduce((sum, { meta_data: chunk }) => {
      const read = chunk && wanted.some((i) => names[i] === chunk.path_in_schema[0]);
      return sum + (read ? Math.max(Number(chunk.total_uncompressed_size), CELL_BYTES * Number(chunk.num_values)) : 0);
    }, 0);
    const fitting = Math.floor((SLICE_BYTES * rowCount) / Math.max(1, packed));
    const slice = Math.max(1, Math.min(rowCount, atMost, fitting));
    for (let at = 0; at < rowCount; at += slice) {
      const count = Math.min(slice, rowCount - at);
      const decoded: ArrayLike<Cell>[] = [];
      for (const i of wanted) {
        const rowStart = start + at;
        const request = { column: names[i]!, rowStart, rowEnd: rowStart + count };
        const cells = (await readable(file, () => scan.readColumn(request))) as ArrayLike<Cell>;
        if (cells.length !== count)
          throw invalidData(file.name, 'the file has fewer rows than it promises; write it again');
        decoded.push(cells);
      }
      for (let k = 0; k < count; k++) {
        const row = new Array<Cell>(own.length);
        for (let j = 0; j < wanted.length; j++) row[wanted[j]!] = decoded[j]![k];
        yield row;
      }
    }
    start += rowCount;
  }
  if (start !== Number(metadata.num_rows))
    throw invalidData(
      file.name,
      `the file promises ${countText(Number(metadata.num_rows))} rows and has ${countText(start)}; write it again`,
    );
}

async function readable<T>(file: SourceFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const why = error instanceof Error ? error.message.split('\n')[0]!.slice(0, 200) : String(error);
    throw invalidData(file.name, `not a readable parquet file (${why}); write it again, uncompressed or with Snappy`);
  }
}

/** Hugging Face's `datasets` writes the features into the file: they contain the names of a ClassLabel's numbers. */
function classNamesOf({ key_value_metadata: pairs }: FileMetaData): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  try {
    const written = JSON.parse(pairs?.find(({ key }) => key === 'huggingface')?.value ?? 'null') as {
      info?: { features?: Record<string, { names?: unknown; _type?: unknown } | null> };
    } | null;
    for (const [column, feature] of Object.entries(written?.info?.features ?? {})) {
      const names = feature?.names;
      if (feature?._type === 'ClassLabel' && Array.isArray(names) && names.every((name) => typeof name === 'string'))
        found.set(column, names);
    }
  } catch {
    // Metadata of another program under that key: the labels are numbers then.
  }
  return found;
}

/** The columns that pandas wrote for the row labels of a data frame. */
function indexesOf({ key_value_metadata: pairs }: FileMetaData): ReadonlySet<string> {
  try {
    const written = JSON.parse(pairs?.find(({ key }) => key === 'pandas')?.value ?? 'null') as {
      index_columns?: unknown;
    } | null;
    const columns = written?.index_columns;
    // A plain range of rows is stored as an object and is not a column.
    return new Set(Array.isArray(columns) ? columns.filter((name): name is string => typeof name === 'string') : []);
  } catch {
    return new Set();
  }
}

async function hashOf(files: readonly ParquetFile[]): Promise<string> {
  const digest = createHash('sha256');
  for (const { file } of files) for await (const chunk of createReadStream(file.path)) digest.update(chunk as Buffer);
  return digest.digest('hex');
}
