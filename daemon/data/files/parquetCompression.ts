import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Compressors, FileMetaData } from 'hyparquet';

/** A page that decompresses to more is rejected. */
const MAX_PAGE_BYTES = 512 * 1024 * 1024;

const bounded = (bytes: number): number => {
  if (bytes >= 0 && bytes <= MAX_PAGE_BYTES) return bytes;
  throw new Error(`a page of ${bytes} bytes`);
};

/** Decompressors for the codecs of a file; Snappy is the reader's own. Zstandard and LZ4 are loaded when needed. */
export async function decompressors({ row_groups: groups }: FileMetaData): Promise<Compressors> {
  const codecs = new Set(groups.flatMap(({ columns }) => columns.map(({ meta_data: chunk }) => chunk?.codec)));
  const compressors: Compressors = {
    GZIP: (input) => gunzipSync(input, { maxOutputLength: MAX_PAGE_BYTES }),
    BROTLI: (input) => brotliDecompressSync(input, { maxOutputLength: MAX_PAGE_BYTES }),
  };
  if (!(['ZSTD', 'LZ4', 'LZ4_RAW'] as const).some((codec) => codecs.has(codec))) return compressors;
  const { decompressLz4, decompressLz4Raw, decompressZstd } = await import('hyparquet-compressors');
  return {
    ...compressors,
    // Allocates exactly the promised bytes: the frame's own claim is not trusted.
    ZSTD: (input, size) => decompressZstd(input, new Uint8Array(bounded(size))),
    LZ4: (input, size) => decompressLz4(input, bounded(size)),
    LZ4_RAW: (input, size) => decompressLz4Raw(input, bounded(size)),
  };
}
