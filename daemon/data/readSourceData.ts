import { readdir } from 'node:fs/promises';
import { basename, isAbsolute, join, relative } from 'node:path';
import type { ResolvedData } from '../protocol/resolvedPlan.js';
import { fileKind, KIND_BYTES, NPZ } from '../model/files/fileKind.js';
import { resolveInside } from '../files/workspacePath.js';
import { invalidData, listText } from './dataError.js';
import type { DataRequirements } from './dataset.js';
import { isBuiltinData, type BuiltinData } from '../protocol/dataPackages.js';
import { isCifarBinaryFolder, readCifar10, readCifarBinary, refuseCifarPickles } from './builtin/cifar10.js';
import { isCifar100Folder, readCifar100 } from './builtin/cifar100.js';
import { readCsvSource } from './files/csv.js';
import { readFashionMnist } from './builtin/fashionMnist.js';
import { isGzip, looksLikeIdx } from './files/idx.js';
import { findPairs, readIdxSource } from './files/idxFolder.js';
import { readImageFolder } from './images/imageFolder.js';
import { readModuleSource } from './files/moduleSource.js';
import { readNpySource } from './files/npySource.js';
import { readNpzSource } from './files/npzSource.js';
import { isParquetName, readParquetSource } from './files/parquet.js';
import { readMnist } from './builtin/mnist.js';
import { inputsAlone } from './labels/noTargets.js';
import type { ReadContext } from './openOptions.js';
import type { RawDataset } from './rawDataset.js';
import { readHead, statSource, type SourceFile } from './files/sourceFile.js';

type Format = NonNullable<ResolvedData['format']>;
type Options = ReadContext['options'];

const BUILT_IN: Record<BuiltinData, (options: Options) => Promise<RawDataset>> = {
  mnist: ({ workspace, memoryLimit }) => readMnist(workspace, memoryLimit),
  'fashion-mnist': ({ workspace, memoryLimit }) => readFashionMnist(workspace, memoryLimit),
  cifar10: readCifar10,
};

const READERS: Record<Format, (context: ReadContext) => Promise<RawDataset>> = {
  idx: readIdxSource,
  csv: readCsvSource,
  npy: readNpySource,
  npz: readNpzSource,
  images: readImageFolder,
  parquet: readParquetSource,
  module: readModuleSource,
};

const EXTENSIONS: Record<string, Format> = {
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  npy: 'npy',
  npz: 'npz',
  parquet: 'parquet',
  js: 'module',
  mjs: 'module',
  cjs: 'module',
};

/**
 * Reads the plan's data: a built-in name, else a file or a folder of the workspace, of the stated format or of the one that its name and content
 * show.
 * @throws UserError as `openDataset`.
 */
export async function readSourceData(...given: Parameters<typeof readAll>): Promise<RawDataset> {
  const raw = await readAll(...given);
  return given[0].labels === false ? inputsAlone(raw) : raw;
}

/** Where labels are unwanted, readers of files that may lack them return none; of others they are dropped. */
async function readAll(config: ResolvedData, requirements: DataRequirements, options: Options): Promise<RawDataset> {
  if (isBuiltinData(config.source) && config.format === null) return BUILT_IN[config.source](options);
  const resolve = (path: string, name?: string) => sourceFile(options.workspace, path, name);
  const source = await resolve(config.source);
  const test = config.test === null ? null : await resolve(config.test);
  const context: ReadContext = { config, requirements, options, source, test, resolve };
  if (config.format === null && (await statSource(source)).directory) {
    const members = await readdir(source.path);
    if (isCifarBinaryFolder(members)) return readCifarBinary(source, members, resolve);
    if (isCifar100Folder(members)) return readCifar100(source, requirements, resolve);
    refuseCifarPickles(source, members);
  }
  const format = config.format ?? (await detectFormat(source));
  return READERS[format](context);
}

async function sourceFile(workspace: string, path: string, name?: string): Promise<SourceFile> {
  const real = await resolveInside(workspace, workspace, path);
  return { path: real, name: name ?? (isAbsolute(path) ? relative(workspace, path) || path : path) };
}

/** By the first bytes if they show it, else by extension; a folder by its members. */
async function detectFormat(source: SourceFile): Promise<Format> {
  if ((await statSource(source)).directory) return detectFolder(source);
  const extension = /\.([a-z0-9]+)$/i.exec(source.path)?.[1]?.toLowerCase() ?? '';
  const byName = EXTENSIONS[extension];
  // Empty files and git-lfs pointers are rejected here.
  const head = readHead(source, KIND_BYTES);
  const magic = Buffer.from(head).toString('latin1');
  if (magic.startsWith('\x93NUMPY')) return 'npy';
  if (magic.startsWith('PAR1')) return 'parquet';
  if (byName === 'npz' || byName === 'npy' || byName === 'parquet' || byName === 'module') return byName;
  if (isGzip(head)) return byName === 'csv' || /\.(csv|tsv|txt)\.gz$/i.test(source.path) ? 'csv' : 'idx';
  if (looksLikeIdx(head) && byName === undefined) return 'idx';
  // A text file has the format of its name, unless its content shows another.
  const kind = fileKind(head, byName === 'csv' ? '' : basename(source.path));
  if (kind === NPZ) return 'npz';
  if (byName === 'csv' && kind === null) return byName;
  if (kind)
    throw invalidData(source.name, `this is ${kind.what}, not data that is read here: ${kind.asData}`, 'format');
  throw invalidData(
    source.name,
    'the format is not known: use CSV, IDX, .npy, .npz, .parquet, or a folder with one sub-folder of PNG or JPEG files per class, or state "format"',
    'format',
  );
}

/** Most sub-folders that are searched for parquet files: a data set's parts or versions, never a thousand classes. */
const MAX_LOOKED_INTO = 8;

async function detectFolder(source: SourceFile): Promise<Format> {
  const members = await readdir(source.path, { withFileTypes: true });
  const files = members.filter((member) => !member.isDirectory()).map((member) => member.name);
  if (findPairs(files).length > 0) return 'idx';
  if (files.some(isParquetName)) return 'parquet';
  const folders = members.filter((member) => member.isDirectory() && !member.name.startsWith('.'));
  for (const { name } of folders.slice(0, MAX_LOOKED_INTO))
    if ((await readdir(join(source.path, name))).some(isParquetName)) return 'parquet';
  const known = files.filter((name) =>
    /\.(csv|tsv|npz|npy|m?js|h5|hdf5|tfrecords?|arrow|jsonl?|pickle|pkl|mat)$/i.test(name),
  );
  if (folders.length === 0 && known.length > 0)
    throw invalidData(
      source.name,
      `this folder has files (${listText(known, 6)}) and no folders of images: name the file itself as "source", and its test set as "test"`,
      'source',
    );
  return 'images';
}
