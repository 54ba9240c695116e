/** What a finished run can be exported as. A format is one entry of `FORMATS`: add one here, and every client offers it. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { readModel } from '../model/readModel.js';
import type { Model } from '../model/model.js';
import { UserError } from '../protocol/errors.js';
import type { Result } from '../protocol/messages.js';
import { writeTfjsLayers, tfjsLayersFiles } from './tfjsLayers.js';

export interface Format {
  readonly format: string;
  /** For people. */
  readonly name: string;
  /** The files as they would be written, in memory: what the sizes are measured on. */
  files(model: Model): Promise<readonly Uint8Array[]>;
  /** Writes under `target` (absolute, checked; its folder exists), whole or not at all. Resolves to what was written. */
  write(model: Model, target: string): Promise<{ path: string; bytes: number }>;
}

export const FORMATS: readonly Format[] = [
  { format: 'tfjs-layers', name: 'TensorFlow.js layers-model', files: tfjsLayersFiles, write: writeTfjsLayers },
];

/** The pruned model of a run. @throws UserError('run-invalid') when the run has no result yet. */
async function readResult(folder: string): Promise<Model> {
  const path = join(folder, 'result', 'model.json');
  if (!(await stat(path).catch(() => null))?.isFile()) {
    throw new UserError('run-invalid', 'the run has no result yet; let it finish, then export', { file: path });
  }
  return readModel(path, { workspace: folder });
}

const gzipAsync = promisify(gzip);
const brotliAsync = promisify(brotliCompress);

async function compressedSizes(files: readonly Uint8Array[]): Promise<{ bytes: number; gzip: number; brotli: number }> {
  const all = Buffer.concat(files);
  const [zipped, brotli] = await Promise.all([
    gzipAsync(all, { level: 9 }),
    brotliAsync(all, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  ]);
  return { bytes: all.length, gzip: zipped.length, brotli: brotli.length };
}

/** Bytes of the dense float32 weights: what `ratio` compares with. */
const denseBytes = (model: Model): number => model.weights.reduce((total, { data }) => total + 4 * data.length, 0);

/** Each format's sizes for this run, in bytes; ratio is dense float32 weights to the format's raw bytes. */
export async function measureFormats(folder: string): Promise<Result<'lc/exportFormats'>> {
  const model = await readResult(folder);
  return Promise.all(
    FORMATS.map(async ({ format, name, files }) => {
      const sizes = await compressedSizes(await files(model));
      return { format, name, ...sizes, ratio: denseBytes(model) / sizes.bytes };
    }),
  );
}

/** @throws UserError('usage') for an unknown format, UserError('disk'), UserError('run-invalid'). */
export async function exportRun(
  folder: string,
  format: string,
  target: string,
): Promise<{ path: string; bytes: number }> {
  const found = FORMATS.find((candidate) => candidate.format === format);
  if (!found) {
    const known = FORMATS.map((candidate) => candidate.format).join(', ');
    throw new UserError('usage', `no format is called "${format.slice(0, 50)}"; known: ${known}`, { field: 'format' });
  }
  return found.write(await readResult(folder), target);
}
