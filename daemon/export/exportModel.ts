/** Exports a model in a format, and measures how large each format is on written files. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { ensureFolder } from '../files/makeFolder.js';
import { findModelIn } from '../model/files/modelInFolder.js';
import type { Model } from '../model/model.js';
import { readModel } from '../model/files/readModel.js';
import { UserError } from '../protocol/errors.js';
import { frontEndOf } from '../model/frontEnds/frontEndOf.js';
import type { InputScale } from '../model/setup/inputScale.js';
import { FORMATS, networkOf, type Format } from './formats.js';
import { writeScaleFile } from './scaleFile.js';
import { thinnedModel } from './thin.js';

export interface FormatSize {
  readonly format: string;
  readonly name: string;
  readonly bytes: number;
  readonly gzip: number;
  readonly brotli: number;
  /** Ratio of the reference's dense float32 weights to these bytes. */
  readonly ratio: number;
  /** The error of the file read back, if requested, or why there is none. */
  readonly quality?: FileQuality;
}

/** The error of a written file on some data; null if it is not finite. */
export type FileQuality = { readonly error: number | null } | { readonly why: string };

/** @param path the main file, or the folder, of the export; removed afterwards. */
export type JudgeFile = (format: Format, path: string) => Promise<FileQuality>;

export interface Sizes {
  /** Bytes of the reference's weights, dense float32: what `ratio` compares with. */
  readonly reference: number;
  readonly formats: readonly FormatSize[];
  /** Formats that cannot hold this model, and why. */
  readonly left: readonly { readonly format: string; readonly reason: string }[];
}

const gzipAsync = promisify(gzip);
const brotliAsync = promisify(brotliCompress);

/** Writes into a temporary folder and passes its content on. */
async function writtenFiles<T>(
  format: Format,
  model: Model,
  use: (files: readonly Buffer[], path: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lc-prune-'));
  try {
    const path = format.extension === '' ? folder : join(folder, `model${format.extension}`);
    await format.write(model, path);
    const names = (await readdir(folder)).sort();
    return await use(await Promise.all(names.map((name) => readFile(join(folder, name)))), path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each file by itself, as a server sends them. */
async function sizeOf(files: readonly Buffer[]): Promise<Pick<FormatSize, 'bytes' | 'gzip' | 'brotli'>> {
  const sums = { bytes: 0, gzip: 0, brotli: 0 };
  for (const file of files) {
    const options = {
      params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: file.length },
    };
    const packed = await Promise.all([gzipAsync(file, { level: 9 }), brotliAsync(file, options)]);
    sums.bytes += file.length;
    sums.gzip += packed[0].length;
    sums.brotli += packed[1].length;
  }
  return sums;
}

const denseBytes = (model: Model): number => model.weights.reduce((total, { data }) => total + 4 * data.length, 0);

/** The thinned model, made when it is asked for first. */
function thinnedOnce(model: Model): () => Model {
  let thinned: Model | undefined;
  return () => (thinned ??= thinnedModel(model));
}

/** Sizes of a pruned model (of the reference's shape) in every format, as written. @param judge is also called for each file. */
export async function measureModel(model: Model, judge?: JudgeFile): Promise<Sizes> {
  const thinned = thinnedOnce(model);
  const reference = denseBytes(model);
  const formats: FormatSize[] = [];
  const left: { format: string; reason: string }[] = [];
  for (const format of FORMATS) {
    try {
      const written = await writtenFiles(format, format.thinned ? thinned() : model, async (files, path) => ({
        ...(await sizeOf(files)),
        ...(judge && { quality: await judge(format, path) }),
      }));
      formats.push({ format: format.id, name: format.name, ...written, ratio: reference / written.bytes });
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== 'model-unsupported') throw error;
      left.push({ format: format.id, reason: error.message });
    }
  }
  return { reference, formats, left };
}

/** @throws UserError('usage') for an unknown format. */
export function findFormat(id: string): Format {
  const format = FORMATS.find((candidate) => candidate.id === id);
  if (format) return format;
  const known = FORMATS.map((candidate) => candidate.id).join(', ');
  throw new UserError('usage', `no format is called "${id.slice(0, 50)}"; known: ${known}`, { field: 'format' });
}

/** The format when none is named; thinned and quantized formats must be requested. */
const BY_ENDING: Readonly<Record<string, string>> = {
  '': 'tfjs-layers',
  '.json': 'tfjs-layers',
  '.keras': 'keras',
  '.h5': 'keras-h5',
  '.hdf5': 'keras-h5',
  '.onnx': 'onnx',
  '.safetensors': 'safetensors',
  '.lcp': 'sparse',
  '.mjs': 'sparse-module',
};

/**
 * The format of a file name.
 * @param kinds 'networks': only formats that hold the whole network, not weights alone.
 * @throws UserError('usage') if its extension belongs to no format, listing the valid ones.
 */
export function formatOfFile(path: string, kinds: 'networks' | 'all'): Format {
  const ending = extname(path).toLowerCase();
  const id = Object.hasOwn(BY_ENDING, ending) ? BY_ENDING[ending]! : null;
  const format = id === null ? null : findFormat(id);
  if (format && (kinds === 'all' || networkOf(format) !== null)) return format;
  const choices = Object.entries(BY_ENDING)
    .filter(([, known]) => kinds === 'all' || networkOf(findFormat(known)) !== null)
    .map(([known, of]) => `${known === '' ? 'no ending (a folder)' : known} (${findFormat(of).name})`);
  throw new UserError(
    'usage',
    `--out: no network is written as "${basename(path)}"; its ending says the format: ${choices.join(', ')}`,
    { file: path },
  );
}

/** @throws UserError('usage') if a file's extension belongs to another format than the requested one. */
export function checkEnding(path: string, format: Format): void {
  const ending = extname(path).toLowerCase();
  if (format.extension === '' || !Object.hasOwn(BY_ENDING, ending) || ending === '') return;
  if (ending === format.extension || findFormat(BY_ENDING[ending]!).extension === format.extension) return;
  throw new UserError(
    'usage',
    `--out: "${basename(path)}" is the name of a ${findFormat(BY_ENDING[ending]!).name} file, and the format is ${format.name}; end it with ${format.extension}`,
    { file: path },
  );
}

/** Bytes of an export: a folder's files, a file, or a model.json with the shards it names. */
async function bytesAt(path: string): Promise<number> {
  const info = await stat(path);
  if (info.isDirectory()) {
    const sizes = await Promise.all((await readdir(path)).map(async (name) => (await stat(join(path, name))).size));
    return sizes.reduce((total, size) => total + size, 0);
  }
  if (!path.endsWith('.json')) return info.size;
  const { weightsManifest } = JSON.parse(await readFile(path, 'utf8')) as { weightsManifest: { paths: string[] }[] };
  const shards = weightsManifest.flatMap(({ paths }) => paths);
  const sizes = await Promise.all(shards.map(async (name) => (await stat(join(dirname(path), name))).size));
  return sizes.reduce((total, size) => total + size, info.size);
}

/** How a model's inputs are scaled, if they are not taken as stored. */
export interface ExportInputs {
  readonly scales: readonly InputScale[];
  /** Whether the written model scales them itself; otherwise a file beside it describes the scale. */
  readonly inside: boolean;
}

export interface Exported {
  readonly path: string;
  readonly bytes: number;
  /** The file with the input scale, if that is not in the model and the inputs are not taken as stored. */
  readonly scaleFile?: string;
}

/**
 * @param target absolute, inside the workspace: the main file, or a folder that gets `model` and the format's extension.
 * @returns the main file or folder, and the bytes that were written. @throws UserError('model-unsupported' | 'disk').
 */
export async function exportModel(
  model: Model,
  format: Format,
  target: string,
  inputs: ExportInputs = { scales: [], inside: false },
): Promise<Exported> {
  const inside = inputs.inside && inputs.scales.length > 0;
  if (inside && networkOf(format) === null)
    throw new UserError('usage', `${format.name} holds weights alone: the scale of the inputs cannot be inside`);
  const isFolder = (await stat(target).catch(() => null))?.isDirectory() ?? false;
  // A path without an extension is the folder of a model.json, as TensorFlow.js saves one.
  const intoFolder =
    format.extension !== '' && (isFolder || (format.extension === '.json' && !target.endsWith('.json')));
  const path = intoFolder ? join(target, `model${format.extension}`) : target;
  await ensureFolder(dirname(path));
  const written = format.thinned ? thinnedModel(model) : model;
  await format.write(inside ? frontEndOf(written).withInputScales(inputs.scales) : written, path);
  const scaleFile = await writeScaleFile(path, inside ? [] : inputs.scales);
  return { path, bytes: await bytesAt(path), ...(scaleFile && { scaleFile }) };
}

/** The pruned model of a run. @throws UserError('run-invalid') when the run has no result yet. */
export async function readResult(folder: string): Promise<Model> {
  const result = join(folder, 'result');
  const path = await findModelIn(result);
  if (path === null)
    throw new UserError('run-invalid', `${basename(folder)} has no result yet; let it finish, then export`, { file: result }); // prettier-ignore
  return readModel(path, { workspace: folder });
}
