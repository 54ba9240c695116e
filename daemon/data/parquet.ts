import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema, type Compressors } from 'hyparquet';
import { UserError } from '../protocol/errors.js';
import { sha256 } from './arrayFile.js';
import { invalidData } from './dataError.js';
import type { ReadContext } from './openOptions.js';
import type { RawDataset } from './rawDataset.js';
import { readHead, statSource, type SourceFile } from './sourceFile.js';
import type { Cell } from './tableColumns.js';
import { readTablePart, type Table } from './tableSource.js';

/** Rows decoded at a time. */
const CHUNK_ROWS = 4096;
/** A page that unpacks to more is no honest file. */
const MAX_PAGE_BYTES = 512 * 1024 * 1024;

const compressors: Compressors = {
  GZIP: (input) => gunzipSync(input, { maxOutputLength: MAX_PAGE_BYTES }),
  BROTLI: (input) => brotliDecompressSync(input, { maxOutputLength: MAX_PAGE_BYTES }),
};

/** Parquet data of a plan: flat columns of numbers, texts and booleans; uncompressed, Snappy, gzip or Brotli. */
export async function readParquetSource(context: ReadContext): Promise<RawDataset> {
  const { source, test } = context;
  const { part, schema } = await readTablePart(source, await openParquet(source), context, null);
  const hash = await fileHash(source);
  const title = `Table ${source.name}`;
  if (!test) return { title, train: part, hash, notes: schema.columns.notes };
  const second = await readTablePart(test, await openParquet(test), context, schema);
  return {
    title,
    train: part,
    test: second.part,
    hash: sha256(hash, await fileHash(test)),
    notes: schema.columns.notes,
  };
}

export async function openParquet(file: SourceFile): Promise<Table> {
  const { bytes } = await statSource(file);
  const magic = Buffer.from(readHead(file, 4)).toString('latin1');
  if (magic !== 'PAR1' || bytes < 12)
    throw invalidData(file.name, 'this is not a parquet file (it does not start with PAR1)');
  const buffer = await asyncBufferFromFile(file.path);
  const metadata = await readable(file, () => parquetMetadataAsync(buffer));
  const { children } = await readable(file, async () => parquetSchema(metadata));
  const nested = children.find((column) => column.children.length > 0);
  if (nested)
    throw invalidData(
      file.name,
      `column ${JSON.stringify(nested.element.name)} is nested; use a table with one number or text per cell`,
    );
  const rowCount = Number(metadata.num_rows);
  async function* rows(): AsyncGenerator<readonly Cell[]> {
    for (let start = 0; start < rowCount; start += CHUNK_ROWS) {
      const rowEnd = Math.min(rowCount, start + CHUNK_ROWS);
      let chunk: Cell[][] = [];
      await readable(file, () =>
        parquetRead({
          file: buffer,
          metadata,
          compressors,
          rowStart: start,
          rowEnd,
          onComplete: (complete) => (chunk = complete as Cell[][]),
        }),
      );
      if (chunk.length !== rowEnd - start)
        throw invalidData(file.name, 'the file has fewer rows than it promises; write it again');
      yield* chunk;
    }
  }
  return { names: children.map((column) => column.element.name), rows: rows(), rowName: (i) => `row ${i + 1}` };
}

async function readable<T>(file: SourceFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw invalidData(file.name, `not a readable parquet file (${why}); write it again, uncompressed or with Snappy`);
  }
}

async function fileHash(file: SourceFile): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(file.path)) digest.update(chunk as Buffer);
  return digest.digest('hex');
}
