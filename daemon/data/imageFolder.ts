import { readFile, readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { sha256 } from './arrayFile.js';
import { invalidData, missingData, shapeText } from './dataError.js';
import type { DataRequirements } from './dataset.js';
import { loadDecoder, toGrey, type Decode } from './decodeImage.js';
import type { ReadContext } from './openOptions.js';
import type { RawDataset, RawPart } from './rawDataset.js';
import { RowSink } from './rowSink.js';
import { statSource, type SourceFile } from './sourceFile.js';

const IMAGE = /\.(png|jpe?g)$/i;
const TRAIN_FOLDERS = ['train', 'training'];
const TEST_FOLDERS = ['test', 'testing', 'validation', 'valid', 'val'];

interface ImageFile extends SourceFile {
  readonly label: number;
}

/**
 * One folder per class of PNG or JPEG files, named after the class; or "train" and "test" folders of such folders. Images are
 * decoded once, on other threads, resized to the model's input; classes take turns, so that a `limit` takes of all.
 * @throws UserError that names the folder or the image.
 */
export async function readImageFolder(context: ReadContext): Promise<RawDataset> {
  const { source, requirements } = context;
  const parts = await findParts(context);
  const decode = loadDecoder(context.options.workspace);
  const size = await imageSize(source.name, requirements, parts.train, decode);
  const limited = context.config.limit === null ? parts.train.files : parts.train.files.slice(0, context.config.limit);
  const train = await decodePart({ ...parts.train, files: limited }, size, context, decode);
  const test = parts.test && (await decodePart(parts.test, size, context, decode));
  const ignored = parts.train.ignored + (parts.test?.ignored ?? 0);
  return {
    title: `Images of ${source.name}`,
    train: train.part,
    ...(test && { test: test.part }),
    hash: sha256(train.hash, test?.hash ?? ''),
    notes: [
      `Images are read as ${shapeText(size)}.`,
      ...(ignored > 0 ? [`${ignored} files are no PNG or JPEG and were left out.`] : []),
    ],
  };
}

interface ImagePart {
  readonly name: string;
  readonly classes: readonly string[];
  readonly files: readonly ImageFile[];
  readonly ignored: number;
}

async function findParts(context: ReadContext): Promise<{ train: ImagePart; test: ImagePart | null }> {
  const { source, test, resolve } = context;
  const members = await folders(source);
  const named = (names: readonly string[]) => members.find((member) => names.includes(member.toLowerCase()));
  const trainName = named(TRAIN_FOLDERS);
  const testName = named(TEST_FOLDERS);
  const child = (name: string): SourceFile => ({ path: join(source.path, name), name: `${source.name}/${name}` });
  const nested = trainName !== undefined && (await folders(child(trainName))).length > 0;
  const trainFolder = nested ? child(trainName) : source;
  const testFolder = test ?? (nested && testName !== undefined ? child(testName) : null);
  return {
    train: await listImages(trainFolder, resolve),
    test: testFolder && (await listImages(testFolder, resolve)),
  };
}

async function folders(folder: SourceFile): Promise<string[]> {
  if (!(await statSource(folder)).directory)
    throw invalidData(folder.name, 'this is a file where a folder with one sub-folder of images per class is needed');
  const members = await readdir(folder.path, { withFileTypes: true });
  return members
    .filter((member) => member.isDirectory() && !/^(\.|__MACOSX$)/.test(member.name))
    .map((member) => member.name)
    .sort(naturalOrder);
}

/** Names that are all digits by their value ("2" before "10"), others by code point, as Keras and scikit-learn sort. */
function naturalOrder(a: string, b: string): number {
  if (/^\d+$/.test(a) && /^\d+$/.test(b) && Number(a) !== Number(b)) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}

async function listImages(folder: SourceFile, resolve: ReadContext['resolve']): Promise<ImagePart> {
  const classes = await folders(folder);
  const perClass: ImageFile[][] = [];
  let ignored = 0;
  for (const [label, name] of classes.entries()) {
    const classFolder = join(folder.path, name);
    const files: ImageFile[] = [];
    for (const entry of await readdir(classFolder, { withFileTypes: true, recursive: true })) {
      if (entry.isDirectory()) continue;
      const path = join(entry.parentPath, entry.name);
      if (!IMAGE.test(entry.name) || entry.name.startsWith('.')) ignored++;
      // A link may lead anywhere: it must stay inside the workspace as every other path.
      else if (entry.isSymbolicLink()) files.push({ ...(await resolve(path)), label });
      else files.push({ path, name: `${folder.name}${path.slice(folder.path.length)}`, label });
    }
    perClass.push(files.sort((a, b) => (a.name < b.name ? -1 : 1)));
  }
  const files = takeTurns(perClass);
  if (files.length === 0)
    throw missingData(
      folder.name,
      'no data in this folder: it needs one sub-folder of PNG or JPEG files per class, or a pair of IDX files',
    );
  return { name: folder.name, classes, files, ignored };
}

function takeTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  const out: T[] = [];
  for (let i = 0; i < longest; i++) for (const list of lists) if (i < list.length) out.push(list[i]!);
  return out;
}

type ImageShape = readonly [height: number, width: number, channels: 1 | 3];

/** The size every image gets: the model's own, or the first image's where the model takes any. */
async function imageSize(
  name: string,
  { inputShapes }: DataRequirements,
  train: ImagePart,
  decode: Decode,
): Promise<ImageShape> {
  const wanted = inputShapes[0] ?? [];
  const fail = () =>
    invalidData(
      name,
      `images do not fit the model's input of ${shapeText(wanted)}; it must be height x width x 1 or 3`,
      'inputs',
    );
  if (inputShapes.length !== 1) throw fail();
  if (wanted.length === 1) return flatSize(wanted[0] ?? null) ?? raise(fail());
  const [height, width, channels = 1] = wanted;
  if (wanted.length < 2 || wanted.length > 3 || (channels !== 1 && channels !== 3 && channels !== null)) throw fail();
  const depth = channels ?? 3;
  if (typeof height === 'number' && typeof width === 'number') return [height, width, depth];
  const first = train.files[0]!;
  const natural = await decode(first.name, await readFile(first.path));
  return [height ?? natural.height, width ?? natural.width, depth];
}

function raise(error: Error): never {
  throw error;
}

/** A flat input holds a square image, grey or RGB. */
function flatSize(values: number | null): ImageShape | null {
  for (const channels of [1, 3] as const) {
    const side = Math.round(Math.sqrt((values ?? 0) / channels));
    if (side > 0 && side * side * channels === values) return [side, side, channels];
  }
  return null;
}

async function decodePart(
  { name, classes, files }: ImagePart,
  size: ImageShape,
  { options }: ReadContext,
  decode: Decode,
): Promise<{ part: RawPart; hash: string }> {
  const [height, width, channels] = size;
  const sink = new RowSink(name, size, 'u1', options.memoryLimit);
  const hashes: string[] = [];
  const load = async (file: ImageFile) => {
    const bytes = await readFile(file.path);
    if (bytes.length === 0) throw invalidData(file.name, 'the image file is empty');
    const { data } = await decode(file.name, bytes, { width, height });
    return { pixels: channels === 1 ? toGrey(data) : data, hash: sha256(file.name, bytes) };
  };
  const group = 4 * availableParallelism();
  try {
    for (let start = 0; start < files.length; start += group) {
      const decoded = await Promise.allSettled(files.slice(start, start + group).map(load));
      for (const result of decoded) {
        if (result.status === 'rejected') throw result.reason;
        sink.append(result.value.pixels);
        hashes.push(result.value.hash);
      }
      options.onProgress?.(Math.min(files.length, start + group), files.length);
    }
  } catch (error) {
    sink.discard();
    throw error;
  }
  const labels = Int32Array.from(files, (file) => file.label);
  return {
    part: {
      name,
      inputs: [sink.finish()],
      targets: { kind: 'labels', labels, positions: 1, names: classes, where: `${name} (folders)` },
    },
    hash: sha256(...hashes),
  };
}
