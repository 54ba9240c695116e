import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asTargets, sha256 } from './arrayFile.js';
import { countText, invalidData, missingData } from '../dataError.js';
import { readIdx } from './idx.js';
import type { RawDataset, RawPart } from '../rawDataset.js';
import type { ReadContext } from '../openOptions.js';
import { statSource, type SourceFile } from './sourceFile.js';

/** "train-images-idx3-ubyte", "t10k-images.idx3-ubyte.gz", "test-images.idx"...: a prefix, then images or labels. */
const MEMBER = /^(.*?)[-_.]?(images|labels)(?:[-_.]?idx\d?)?(?:[-_.]?ubyte)?(?:\.idx)?(?:\.gz)?$/i;
const TRAIN = /train/i;
const TEST = /t10k|test|val/i;

type Resolve = (path: string, name: string) => Promise<SourceFile>;
/** For the folders of packages, which are not paths of a plan. */
const trustedPath: Resolve = async (path, name) => ({ path, name });

interface Pair {
  readonly prefix: string;
  readonly images: string;
  readonly labels: string;
}

/** Images-and-labels pairs among file names, by prefix; a plain file wins over its .gz. */
export function findPairs(names: readonly string[]): Pair[] {
  const found = new Map<string, { images?: string; labels?: string }>();
  for (const name of [...names].sort()) {
    const match = MEMBER.exec(name);
    if (!match || !/idx|ubyte|\.gz$/i.test(name)) continue;
    const [, prefix = '', role = ''] = match;
    const pair = found.get(prefix) ?? {};
    pair[role.toLowerCase() as 'images' | 'labels'] ??= name;
    found.set(prefix, pair);
  }
  return [...found].flatMap(([prefix, { images, labels }]) => (images && labels ? [{ prefix, images, labels }] : []));
}

/**
 * A folder with the usual MNIST-style pairs. A training and a test pair by their prefixes ("train", "t10k" or "test"); a
 * single pair is the training part.
 * @throws UserError('data-missing') when there is no pair, UserError('data-invalid') on damaged or unequal files.
 */
export async function readIdxFolder(
  folder: SourceFile,
  memoryLimit: number,
  title: string,
  resolve: Resolve = trustedPath,
): Promise<RawDataset> {
  const pairs = findPairs(await readdir(folder.path));
  const testPair = pairs.find((pair) => TEST.test(pair.prefix));
  const trainPair =
    pairs.find((pair) => TRAIN.test(pair.prefix)) ?? pairs.find((pair) => pair !== testPair) ?? testPair;
  if (!trainPair)
    throw missingData(
      folder.name,
      'no pair of IDX files such as train-images-idx3-ubyte and train-labels-idx1-ubyte (plain or .gz)',
    );
  const member = (name: string) => resolve(join(folder.path, name), `${folder.name}/${name}`);
  const read = async (pair: Pair) => readIdxPair(await member(pair.images), await member(pair.labels), memoryLimit);
  const train = await read(trainPair);
  const test = testPair && testPair !== trainPair ? await read(testPair) : undefined;
  return {
    title,
    train: train.part,
    ...(test && { test: test.part }),
    hash: sha256(train.hash, test?.hash ?? ''),
    notes: [],
  };
}

/** @param labels null: none are read. @throws UserError('data-invalid') when the two files count different samples. */
export async function readIdxPair(
  images: SourceFile,
  labels: SourceFile | null,
  memoryLimit: number,
): Promise<{ part: RawPart; hash: string }> {
  const inputs = await readIdx(images, memoryLimit);
  const { name } = images;
  if (!labels)
    return { part: { name, inputs: [inputs.store], targets: { kind: 'none', where: name } }, hash: inputs.hash };
  const targets = await readIdx(labels, memoryLimit);
  if (inputs.store.size !== targets.store.size)
    throw invalidData(
      labels.name,
      `${countText(targets.store.size)} labels, but ${images.name} has ${countText(inputs.store.size)} samples; the two files do not belong together`,
    );
  return {
    part: { name, inputs: [inputs.store], targets: await asTargets(targets) },
    hash: sha256(inputs.hash, targets.hash),
  };
}

/** The labels file of an images file with a usual name; null if there is none. */
async function labelsBeside(images: SourceFile, resolve: Resolve): Promise<SourceFile | null> {
  const folder = dirname(images.path);
  const own = images.path.slice(folder.length + 1);
  const pair = findPairs(await readdir(folder)).find((p) => p.images === own || p.images === own.replace(/\.gz$/, ''));
  if (!pair) return null;
  return resolve(join(folder, pair.labels), images.name.slice(0, images.name.length - own.length) + pair.labels);
}

/** IDX data of a plan: a folder of pairs, or an images file with its labels file. */
export async function readIdxSource(context: ReadContext): Promise<RawDataset> {
  const { source, test, config, options } = context;
  if ((await statSource(source)).directory)
    return readIdxFolder(source, options.memoryLimit, `IDX files of ${source.name}`, context.resolve);
  const stated = config.labels ? config.labels[0] : undefined;
  const beside = (file: SourceFile) => (config.labels === false ? null : requireLabels(file, context.resolve));
  const train = await readIdxPair(
    source,
    stated === undefined ? await beside(source) : await context.resolve(stated),
    options.memoryLimit,
  );
  const tested = test && (await readIdxPair(test, await beside(test), options.memoryLimit));
  return {
    title: `IDX files of ${source.name}`,
    train: train.part,
    ...(tested && { test: tested.part }),
    hash: sha256(train.hash, tested?.hash ?? ''),
    notes: [],
  };
}

async function requireLabels(images: SourceFile, resolve: Resolve): Promise<SourceFile> {
  const labels = await labelsBeside(images, resolve);
  if (labels) return labels;
  throw missingData(images.name, 'no labels file beside it with the same prefix; name it in "data.labels"');
}
