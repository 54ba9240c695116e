import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { findPairs } from '../../../daemon/data/files/idxFolder.js';
import { openDataset } from '../../../daemon/data/openDataset.js';
import { classifier, dataConfig, idxBytes, makeWorkspace, messageOf, readAll } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const open = (source: string, more = {}, classes = 3, shape = [2, 2]) =>
  openDataset(dataConfig(source, more), classifier(shape, classes), { workspace: workspace.folder, seed: 1 });

const pixels = Array.from({ length: 24 }, (_, i) => i * 10);
const images = idxBytes([6, 2, 2], pixels);
const labels = idxBytes([6], [0, 1, 2, 2, 1, 0]);

describe('IDX', () => {
  it.each([
    ['usual names', 'train-images-idx3-ubyte', 'train-labels-idx1-ubyte', false],
    ['dots', 'train-images.idx3-ubyte', 'train-labels.idx1-ubyte', false],
    ['gzip', 'train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz', true],
  ])('reads a folder of %s, exactly', async (name, imageName, labelName, zip) => {
    const pack = (bytes: Uint8Array) => (zip ? gzipSync(bytes) : bytes);
    workspace.write(`${name}/${imageName}`, pack(images));
    workspace.write(`${name}/${labelName}`, pack(labels));
    workspace.write(`${name}/${imageName.replace('train', 't10k')}`, pack(idxBytes([2, 2, 2], pixels.slice(0, 8))));
    workspace.write(`${name}/${labelName.replace('train', 't10k')}`, pack(idxBytes([2], [2, 1])));
    const dataset = await open(name);
    const train = await readAll(dataset, dataset.train);
    expect(train.inputs.flat()).toEqual(pixels);
    expect(train.targets).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [0, 0, 1],
      [0, 1, 0],
      [1, 0, 0],
    ]);
    const test = await readAll(dataset, dataset.test);
    expect(test.inputs.flat()).toEqual(pixels.slice(0, 8));
    expect(test.targets).toEqual([
      [0, 0, 1],
      [0, 1, 0],
    ]);
  });

  it('holds 20% out for a single pair, and evaluates on all of it', async () => {
    workspace.write('one/images-idx3-ubyte', images);
    workspace.write('one/labels-idx1-ubyte', labels);
    const dataset = await open('one');
    expect([dataset.train.size, dataset.test.size]).toEqual([5, 1]);
    const rows = [...(await readAll(dataset, dataset.train)).inputs, ...(await readAll(dataset, dataset.test)).inputs];
    expect(rows.map((row) => row[0]).sort((a, b) => a! - b!)).toEqual([0, 40, 80, 120, 160, 200]);
    expect(dataset.notes.join(' ')).toContain('held out');
    const whole = await openDataset(dataConfig('one'), classifier([4], 3), {
      workspace: workspace.folder,
      seed: 1,
      purpose: 'evaluate',
    });
    expect((await readAll(whole, whole.test)).inputs.flat()).toEqual(pixels);
  });

  it('reads an images file with the labels beside it, or named', async () => {
    workspace.write('file/x-images.idx', images);
    workspace.write('file/x-labels.idx', labels);
    workspace.write('file/other', labels);
    expect((await open('file/x-images.idx')).train.size).toBe(5);
    expect((await open('file/x-images.idx', { labels: ['file/other'] })).train.size).toBe(5);
  });

  it('above the memory limit, reads from disk the same samples, hash and statistics', async () => {
    workspace.write('big/train-images-idx3-ubyte', images);
    workspace.write('big/train-labels-idx1-ubyte', labels);
    const config = dataConfig('big', { scale: 'standard', validation: 2 });
    const openWith = (memoryLimit: number) =>
      openDataset(config, classifier([2, 2, 1], 3), { workspace: workspace.folder, seed: 4, memoryLimit });
    const inMemory = await openWith(1e6);
    const streamed = await openWith(30);
    expect(streamed.hash).toBe(inMemory.hash);
    for (const part of ['train', 'validation', 'test'] as const)
      expect(await readAll(streamed, streamed[part])).toEqual(await readAll(inMemory, inMemory[part]));
    const pending = streamed.train.gather(Uint32Array.from([0]), 0, 1, [new Float32Array(4)], new Float32Array(3));
    expect(pending).toBeInstanceOf(Promise);
    await pending;
    streamed.close();
  });

  it('pairs names with prefixes, and plain before gzip', () => {
    expect(
      findPairs([
        'emnist-letters-train-images-idx3-ubyte',
        'emnist-letters-train-labels-idx1-ubyte',
        't10k-images.idx3-ubyte.gz',
        't10k-images.idx3-ubyte',
        't10k-labels.idx1-ubyte',
        'images.txt',
        'labels',
      ]),
    ).toEqual([
      {
        prefix: 'emnist-letters-train',
        images: 'emnist-letters-train-images-idx3-ubyte',
        labels: 'emnist-letters-train-labels-idx1-ubyte',
      },
      { prefix: 't10k', images: 't10k-images.idx3-ubyte', labels: 't10k-labels.idx1-ubyte' },
    ]);
  });
});

describe('IDX errors, one line each with file and way out', () => {
  const broken = async (name: string, x: Uint8Array | string, y: Uint8Array | string = labels, classes = 3) => {
    workspace.write(`${name}/train-images-idx3-ubyte`, x);
    workspace.write(`${name}/train-labels-idx1-ubyte`, y);
    return messageOf(open(name, {}, classes));
  };

  it('truncated, too long, not IDX, empty', async () => {
    expect(await broken('e1', images.subarray(0, 30))).toMatch(
      /e1\/train-images-idx3-ubyte.*40 bytes.*has 30.*cut short/,
    );
    expect(await broken('e2', Buffer.concat([images, Buffer.from([0])]))).toMatch(/has 41.*too long/);
    expect(await broken('e3', 'hello, world')).toMatch(/not an IDX file/);
    expect(await broken('e4', '')).toMatch(/e4\/train-images-idx3-ubyte: the file is empty/);
    expect(await broken('e5', idxBytes([0, 2, 2], []))).toMatch(/array is empty/);
    expect(await broken('e6', images.subarray(0, 9))).toMatch(/header is cut off/);
  });

  it('a header that claims more than any memory is refused by the file size', async () => {
    const huge = Buffer.alloc(20);
    huge[2] = 13;
    huge[3] = 4;
    huge.fill(255, 4);
    expect(await broken('e7', huge)).toMatch(/cut short/);
  });

  it('damaged gzip, and gzip beyond the memory limit', async () => {
    const packed = gzipSync(images);
    expect(await broken('e8', packed.subarray(0, packed.length - 9))).toMatch(/damaged or cut short/);
    workspace.write('e9/train-images-idx3-ubyte', gzipSync(new Uint8Array(100000)));
    workspace.write('e9/train-labels-idx1-ubyte', labels);
    const opening = openDataset(dataConfig('e9'), classifier([4], 3), {
      workspace: workspace.folder,
      seed: 1,
      memoryLimit: 5000,
    });
    expect(await messageOf(opening)).toMatch(/more than 5,000 bytes when decompressed/);
  });

  it('git-lfs pointer', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n';
    expect(await broken('e10', pointer)).toMatch(/git-lfs pointer.*git lfs pull/);
  });

  it('label count, label range, one class', async () => {
    expect(await broken('e11', images, idxBytes([5], [0, 1, 2, 0, 1]))).toMatch(/train-labels.*5 labels.*6 samples/);
    expect(await broken('e12', images, idxBytes([6], [0, 1, 2, 3, 1, 0]))).toMatch(
      /sample 3 has the label 3, but the model has 3 outputs: labels must be 0 to 2/,
    );
    expect(await broken('e13', images, idxBytes([6], [1, 1, 1, 1, 1, 1]))).toMatch(/all 6 samples have the label "1"/);
  });

  it('labels 1..C of a model with C outputs are shifted, with a note', async () => {
    workspace.write('shift/train-images-idx3-ubyte', images);
    workspace.write('shift/train-labels-idx1-ubyte', idxBytes([6], [1, 2, 3, 3, 2, 1]));
    const dataset = await openDataset(dataConfig('shift'), classifier([4], 3), {
      workspace: workspace.folder,
      seed: 1,
      purpose: 'evaluate',
    });
    expect((await readAll(dataset, dataset.test)).targets.map((t) => t.indexOf(1))).toEqual([0, 1, 2, 2, 1, 0]);
    expect(dataset.notes.join(' ')).toContain('Labels run from 1 to 3');
  });

  it("inputs of another size than the model's are refused with both shapes", async () => {
    workspace.write('shape/train-images-idx3-ubyte', images);
    workspace.write('shape/train-labels-idx1-ubyte', labels);
    expect(await messageOf(open('shape', {}, 3, [28, 28, 1]))).toMatch(
      /a sample is 2 x 2 \(4 values\), but the model's input is 28 x 28 x 1 \(784 values\)/,
    );
  });

  it('a link that leads out of the workspace is refused, in folders too', async () => {
    const elsewhere = makeWorkspace();
    elsewhere.write('train-images-idx3-ubyte', images);
    workspace.write('linked/train-labels-idx1-ubyte', labels);
    symlinkSync(
      join(elsewhere.folder, 'train-images-idx3-ubyte'),
      join(workspace.folder, 'linked/train-images-idx3-ubyte'),
    );
    expect(await messageOf(open('linked'))).toMatch(/leads out of the workspace/);
    elsewhere.remove();
  });

  it('no pair, missing folder, path outside the workspace', async () => {
    workspace.write('none/readme.md', 'x');
    expect(await messageOf(open('none'))).toMatch(/none: no data in this folder/);
    expect(await messageOf(open('absent'))).toMatch(/absent: no such file or folder/);
    expect(await messageOf(open('../outside'))).toMatch(/workspace/);
    expect(await messageOf(open('/etc/hostname'))).toMatch(/workspace/);
  });
});
