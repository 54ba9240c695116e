import { readFile, readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { sha256 } from '../files/arrayFile.js';
import { invalidData, listText, missingData, shapeText } from '../dataError.js';
import type { DataRequirements } from '../dataset.js';
import { loadDecoder, type Decode } from './decodeImage.js';
import { imageSize, ImageSink, IMAGES_AT_ONCE, type EncodedImage, type ImageShape } from './imageSink.js';
import type { ReadContext } from '../openOptions.js';
import type { RawDataset, RawPart } from '../rawDataset.js';
import { statSource, type SourceFile } from '../files/sourceFile.js';

/** File extensions that the decoder supports. */
export const IMAGE_NAME = /\.(png|jpe?g|webp|gif|tiff?|bmp)$/i;
/** Files that systems and editors make beside the data. */
const HIDDEN = /^(\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)/i;
/** Names of the folder around the classes' folders, if there is a test part beside it. */
export const TRAIN_FOLDERS: readonly string[] = ['train', 'training'];
const TEST_FOLDERS = ['test', 'testing', 'validation', 'valid', 'val'];

interface ImageFile extends SourceFile {
  readonly label: number;
}

/**
 * One folder per class of PNG or JPEG files, named after the class; or "train" and "test" folders of such folders. Images are decoded once, on other
 * threads, and resized to the model's input. Classes alternate, so that `limit` takes samples of all. Without labels: all images below the folder.
 * @throws UserError that names the folder or the image.
 */
export async function readImageFolder(context: ReadContext): Promise<RawDataset> {
  const { source, requirements } = context;
  const parts = await findParts(context);
  const decode = loadDecoder(context.options.workspace);
  const [first] = parts.train.files;
  const size = await imageSize(source.name, requirements, decode, async () => ({
    name: first!.name,
    bytes: await readFile(first!.path),
  }));
  const { sample = Infinity } = context.options;
  const limited = parts.train.files.slice(0, context.config.limit ?? Infinity);
  const some = (part: ImagePart, files: readonly ImageFile[]) => ({ ...part, files: files.slice(0, sample) });
  const train = await decodePart(some(parts.train, limited), size, context, decode);
  const test = parts.test && (await decodePart(some(parts.test, parts.test.files), size, context, decode));
  const ignored = parts.train.ignored + (parts.test?.ignored ?? 0);
  const loose = parts.train.loose + (parts.test?.loose ?? 0);
  return {
    title: `Images of ${source.name}`,
    fields: { kind: 'folders', names: [], inputs: [], labels: [] },
    available: { train: limited.length, test: parts.test?.files.length ?? null },
    train: train.part,
    ...(test && { test: test.part }),
    hash: sha256(train.hash, test?.hash ?? ''),
    notes: [
      `Images are read as ${shapeText(size)}.`,
      ...(ignored > 0
        ? [`Left out, as no PNG, JPEG, WebP, GIF, TIFF or BMP: ${ignored} file${ignored === 1 ? '' : 's'}.`]
        : []),
      ...(loose > 0 ? [`Left out, as in no folder of a class: ${loose} image${loose === 1 ? '' : 's'}.`] : []),
      ...new Set([...train.notes, ...(test?.notes ?? [])]),
      ...parts.notes,
    ],
  };
}

interface ImagePart {
  readonly name: string;
  /** null: labels are not read. */
  readonly classes: readonly string[] | null;
  readonly files: readonly ImageFile[];
  /** Files in the classes' folders that are not images. */
  readonly ignored: number;
  /** Images beside the classes' folders. */
  readonly loose: number;
}

interface ImageParts {
  readonly train: ImagePart;
  readonly test: ImagePart | null;
  readonly notes: readonly string[];
}

async function findParts(context: ReadContext): Promise<ImageParts> {
  const { test, resolve, requirements, config } = context;
  if (config.labels === false) return partsWithoutClasses(context);
  const source = await unwrapped(context.source);
  const members = await folders(source);
  const named = (names: readonly string[]) => members.find((member) => names.includes(member.toLowerCase()));
  const trainName = named(TRAIN_FOLDERS);
  const testName = named(TEST_FOLDERS);
  const nested = trainName !== undefined && (await folders(child(source, trainName))).length > 0;
  const trainFolder = nested ? child(source, trainName) : source;
  const testFolder = test ? await unwrapped(test) : nested && testName !== undefined ? child(source, testName) : null;
  const notes = source === context.source ? [] : [`The classes are the folders in ${source.name}.`];
  const train = withoutEmpty(await listImages(trainFolder, resolve), requirements, notes);
  return { train, test: testFolder && (await listImages(testFolder, resolve)), notes };
}

/** All images below the folder, or below "train" and "test" in it, whatever folders they lie in. */
async function partsWithoutClasses({ source, test, resolve }: ReadContext): Promise<ImageParts> {
  const members = await folders(source);
  const named = (names: readonly string[]) => members.find((member) => names.includes(member.toLowerCase()));
  const [trainName, testName] = [named(TRAIN_FOLDERS), named(TEST_FOLDERS)];
  const all = async (folder: SourceFile): Promise<ImagePart> => {
    const { files, ignored } = await imagesBelow(folder, folder, 0, resolve);
    if (files.length === 0)
      throw missingData(folder.name, 'no PNG or JPEG files in this folder, nor in the folders in it');
    return { name: folder.name, classes: null, files, ignored, loose: 0 };
  };
  const train = await all(trainName === undefined ? source : child(source, trainName));
  const testFolder = test ?? (trainName === undefined || testName === undefined ? null : child(source, testName));
  return { train, test: testFolder && (await all(testFolder)), notes: [] };
}

const child = (folder: SourceFile, name: string): SourceFile => ({
  path: join(folder.path, name),
  name: `${folder.name}/${name}`,
});

/** The folder of the classes: a single folder that contains folders and no images is not a class but holds them. */
async function unwrapped(folder: SourceFile): Promise<SourceFile> {
  const [only, ...others] = await folders(folder);
  if (only === undefined || others.length > 0) return folder;
  const inner = child(folder, only);
  const images = (await readdir(inner.path)).some((name) => IMAGE_NAME.test(name));
  return images || (await folders(inner)).length === 0 ? folder : unwrapped(inner);
}

/** Without classes that have no images, if the model has an output for each of the others only. */
function withoutEmpty(part: ImagePart, { outputShape }: DataRequirements, notes: string[]): ImagePart {
  const classes = part.classes ?? [];
  const filled = classes.map((_, label) => label).filter((label) => part.files.some((file) => file.label === label));
  if (filled.length === classes.length || filled.length !== Math.max(2, outputShape.at(-1) ?? 1)) return part;
  const empty = classes.filter((_, label) => !filled.includes(label));
  notes.push(`Left out, as there are no images in it: ${listText(empty)}.`);
  return {
    ...part,
    classes: filled.map((label) => classes[label]!),
    files: part.files.map((file) => ({ ...file, label: filled.indexOf(file.label) })),
  };
}

async function folders(folder: SourceFile): Promise<string[]> {
  if (!(await statSource(folder)).directory)
    throw invalidData(folder.name, 'this is a file where a folder with one sub-folder of images per class is needed');
  const members = await readdir(folder.path, { withFileTypes: true });
  return members
    .filter((member) => member.isDirectory() && !HIDDEN.test(member.name))
    .map((member) => member.name)
    .sort(naturalOrder);
}

/** Names that are all digits by their value ("2" before "10"), others by code point, as Keras and scikit-learn sort. */
function naturalOrder(a: string, b: string): number {
  if (/^\d+$/.test(a) && /^\d+$/.test(b) && Number(a) !== Number(b)) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Images in a folder and the folders in it, by their names within `root`; and how many other files are there. */
async function imagesBelow(
  root: SourceFile,
  folder: SourceFile,
  label: number,
  resolve: ReadContext['resolve'],
): Promise<{ files: ImageFile[]; ignored: number }> {
  const files: ImageFile[] = [];
  let ignored = 0;
  for (const entry of await readdir(folder.path, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const within = path.slice(folder.path.length + 1);
    if (entry.isDirectory() || within.split(sep).some((part) => HIDDEN.test(part))) continue;
    if (!IMAGE_NAME.test(entry.name)) ignored++;
    // A link must stay inside the workspace, as every other path.
    else if (entry.isSymbolicLink()) files.push({ ...(await resolve(path)), label });
    else files.push({ path, name: `${root.name}${path.slice(root.path.length)}`, label });
  }
  return { files: files.sort((a, b) => (a.name < b.name ? -1 : 1)), ignored };
}

async function listImages(folder: SourceFile, resolve: ReadContext['resolve']): Promise<ImagePart> {
  const classes = await folders(folder);
  const perClass: ImageFile[][] = [];
  let ignored = 0;
  for (const [label, name] of classes.entries()) {
    const found = await imagesBelow(folder, child(folder, name), label, resolve);
    ignored += found.ignored;
    perClass.push(found.files);
  }
  const files = takeTurns(perClass);
  if (files.length === 0) throw await noImages(folder, classes);
  const loose = (await readdir(folder.path)).filter((name) => IMAGE_NAME.test(name) && !HIDDEN.test(name)).length;
  return { name: folder.name, classes, files, ignored, loose };
}

/** Describes a folder without images in folders, and what it should contain. */
async function noImages(folder: SourceFile, classes: readonly string[]): Promise<Error> {
  const needed = 'it needs one sub-folder of PNG or JPEG files per class, or a pair of IDX files';
  const own = (await readdir(folder.path)).filter((name) => !classes.includes(name) && !name.startsWith('.'));
  const images = own.filter((name) => IMAGE_NAME.test(name));
  if (images.length > 0)
    return missingData(
      folder.name,
      `images lie in the folder itself (${listText(images, 3)}), and nothing says of which class: put each in a sub-folder named after its class, or set "labels": false, and the model's own answers teach`,
    );
  if (classes.length === 0)
    return missingData(
      folder.name,
      `no data in this folder: ${needed}${own.length > 0 ? `; it has ${listText(own, 4)}` : ''}`,
    );
  const inside = (await readdir(join(folder.path, classes[0]!))).slice(0, 3);
  return missingData(
    folder.name,
    `no images in its folders (${listText(classes, 4)}${inside.length > 0 ? `; ${classes[0]} has ${listText(inside)}` : ', which are empty'}): ${needed}`,
  );
}

function takeTurns<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  const out: T[] = [];
  for (let i = 0; i < longest; i++) for (const list of lists) if (i < list.length) out.push(list[i]!);
  return out;
}

async function decodePart(
  { name, classes, files }: ImagePart,
  size: ImageShape,
  { options }: ReadContext,
  decode: Decode,
): Promise<{ part: RawPart; hash: string; notes: readonly string[] }> {
  const images = new ImageSink(name, size, decode, options.memoryLimit);
  const hashes: string[] = [];
  const load = async (file: ImageFile): Promise<EncodedImage> => {
    const bytes = await readFile(file.path);
    if (bytes.length === 0) throw invalidData(file.name, 'the image file is empty');
    hashes.push(sha256(file.name, bytes));
    return { name: file.name, bytes };
  };
  try {
    for (let start = 0; start < files.length; start += IMAGES_AT_ONCE) {
      // The hashes are in the order of the files.
      const group: EncodedImage[] = [];
      for (const file of files.slice(start, start + IMAGES_AT_ONCE)) group.push(await load(file));
      await images.append(group);
      options.onProgress?.(Math.min(files.length, start + IMAGES_AT_ONCE), files.length);
    }
  } catch (error) {
    images.discard();
    throw error;
  }
  const labels = Int32Array.from(files, (file) => file.label);
  return {
    part: {
      name,
      inputs: [images.finish()],
      targets: classes
        ? { kind: 'labels', labels, positions: 1, names: classes, where: `${name} (folders)` }
        : { kind: 'none', where: name },
    },
    hash: sha256(...hashes),
    notes: images.notes(),
  };
}
