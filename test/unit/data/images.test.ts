import sharp from 'sharp';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toGrey } from '../../../daemon/data/images/decodeImage.js';
import { openDataset } from '../../../daemon/data/openDataset.js';
import { classifier, dataConfig, makeWorkspace, messageOf, readAll } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const open = (source: string, shape: (number | null)[], classes = 2, more = {}, extra = {}) =>
  openDataset(dataConfig(source, more), classifier(shape, classes), {
    workspace: workspace.folder,
    seed: 1,
    purpose: 'evaluate',
    ...extra,
  });

/** A PNG of width x height with the given raw bytes. */
const png = (width: number, height: number, channels: 1 | 3 | 4, data: number[]) =>
  sharp(Uint8Array.from(data), { raw: { width, height, channels } }).png().toBuffer();
const flat = (width: number, height: number, rgb: number[]) =>
  png(width, height, 3, Array.from({ length: width * height }, () => rgb).flat());

const pixels = Array.from({ length: 12 }, (_, i) => 20 * i);

beforeAll(async () => {
  workspace.write('pets/a cat/one two.png', await png(2, 2, 3, pixels));
  workspace.write('pets/a cat/three.png', await flat(2, 2, [10, 20, 30]));
  workspace.write('pets/dog/x.PNG', await flat(4, 4, [200, 100, 50]));
  workspace.write(
    'pets/dog/y.jpg',
    await sharp(await flat(16, 16, [90, 90, 90]))
      .jpeg({ quality: 100 })
      .toBuffer(),
  );
  workspace.write('pets/dog/readme.txt', 'not an image');
});

describe('image folders', () => {
  it('reads names with spaces, resizes, and interleaves the classes', async () => {
    const dataset = await open('pets', [2, 2, 3]);
    const { inputs, targets } = await readAll(dataset, dataset.test);
    expect(dataset.classes).toEqual(['a cat', 'dog']);
    expect(targets.map((t) => t.indexOf(1))).toEqual([0, 1, 0, 1]);
    expect(inputs[0]).toEqual(pixels);
    expect(inputs[1]).toEqual([200, 100, 50, 200, 100, 50, 200, 100, 50, 200, 100, 50]);
    expect(inputs[2]!.slice(0, 3)).toEqual([10, 20, 30]);
    for (const value of inputs[3]!) expect(Math.abs(value - 90)).toBeLessThanOrEqual(2);
    expect(dataset.notes.join(' ')).toContain('no PNG, JPEG, WebP, GIF, TIFF or BMP: 1 file.');
  });

  it('reads greyscale by the weights of Pillow, flat inputs as squares, and free sizes as the first image', async () => {
    const grey = await open('pets', [4]);
    const [first] = (await readAll(grey, grey.test)).inputs;
    // (R * 19595 + G * 38470 + B * 7471 + 32768) >> 16, Pillow's L mode, by hand for (0,20,40), (60,80,100)...
    expect(first).toEqual([16, 76, 136, 196]);
    expect([...toGrey(Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 0, 255]))]).toEqual([76, 150, 29]);
    const free = await open('pets', [null, null, 3]);
    expect(free.inputShapes).toEqual([[2, 2, 3]]);
  });

  it('a model of grey images reads grey PNGs unchanged, and alpha is dropped', async () => {
    workspace.write('grey/0/a.png', await png(2, 2, 1, [0, 85, 170, 255]));
    workspace.write('grey/1/b.png', await png(2, 2, 4, [9, 9, 9, 0, 8, 8, 8, 128, 7, 7, 7, 255, 6, 6, 6, 1]));
    const dataset = await open('grey', [2, 2, 1]);
    expect((await readAll(dataset, dataset.test)).inputs).toEqual([
      [0, 85, 170, 255],
      [9, 8, 7, 6],
    ]);
  });

  it('folders that are numbers are in numeric order', async () => {
    for (let i = 0; i < 12; i++) workspace.write(`numbers/${i}/a.png`, await flat(1, 1, [i, i, i]));
    const dataset = await open('numbers', [1, 1, 1], 12);
    const { inputs, targets } = await readAll(dataset, dataset.test);
    inputs.forEach(([value], i) => expect(targets[i]!.indexOf(1)).toBe(value));
  });

  it('train and test folders; limit takes of every class', async () => {
    for (const part of ['train', 'test'])
      for (const name of ['p', 'q'])
        for (let i = 0; i < 3; i++) workspace.write(`split/${part}/${name}/${i}.png`, await flat(1, 1, [i, 0, 0]));
    const dataset = await open('split', [1, 1, 3], 2, { limit: 4 }, { purpose: 'train' });
    expect([dataset.train.size, dataset.test.size]).toEqual([4, 6]);
    const { targets } = await readAll(dataset, dataset.train);
    expect(targets.map((t) => t.indexOf(1))).toEqual([0, 1, 0, 1]);
  });

  it('augments the training part only', async () => {
    const dataset = await open('pets', [2, 2, 3], 2, { augment: { flip: true, shift: 1 } });
    expect(dataset.train.augmentation).toEqual({ shape: [2, 2, 3], flip: true, shift: 1 });
    expect(dataset.test.augmentation).toBeUndefined();
  });

  it('reports progress to the end', async () => {
    const calls: [number, number][] = [];
    await open('pets', [2, 2, 3], 2, {}, { onProgress: (done: number, total: number) => calls.push([done, total]) });
    expect(calls.at(-1)).toEqual([4, 4]);
  });

  it('reads the modes and formats that cameras and tools write: grey, alpha, palette, 16 bits, CMYK, rotated', async () => {
    const save = async (name: string, image: Promise<Buffer>) => workspace.write(`modes/${name}`, await image);
    const raw = (channels: 1 | 3 | 4, values: number[]) =>
      sharp(Uint8Array.from(Array.from({ length: 4 }, () => values).flat()), {
        raw: { width: 2, height: 2, channels },
      });
    await save('0/a grey.png', raw(1, [120]).png().toBuffer());
    await save('0/b palette.png', raw(3, [200, 100, 50]).png({ palette: true }).toBuffer());
    await save('0/c alpha.png', raw(4, [200, 100, 50, 0]).png().toBuffer());
    await save('0/d webp.webp', raw(3, [200, 100, 50]).webp({ lossless: true }).toBuffer());
    await save('0/e gif.gif', raw(3, [200, 100, 50]).gif().toBuffer());
    await save('0/f tiff.tiff', raw(3, [200, 100, 50]).tiff({ compression: 'lzw' }).toBuffer());
    const deep = sharp(
      Uint16Array.from({ length: 4 }, () => 120 * 257),
      { raw: { width: 2, height: 2, channels: 1 } },
    );
    await save('0/g sixteen bits.png', deep.toColourspace('grey16').png().toBuffer());
    const cmyk = raw(3, [255, 255, 255]).toColourspace('cmyk').jpeg({ quality: 100 });
    await save('0/h cmyk.jpg', cmyk.toBuffer());
    // White at the left; turned by 90 degrees clockwise when shown, as phones write it.
    const half = Array.from({ length: 16 * 16 }, (_, i) => (i % 16 < 8 ? 255 : 0)).flatMap((v) => [v, v, v]);
    const turned = sharp(Uint8Array.from(half), { raw: { width: 16, height: 16, channels: 3 } });
    await save('1/a rotated.jpg', turned.withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer());
    const dataset = await open('modes', [2, 2, 3]);
    const { inputs, targets } = await readAll(dataset, dataset.test);
    const [grey, , ...others] = inputs;
    const rotated = inputs[targets.findIndex((t) => t[1] === 1)]!;
    expect(grey).toEqual(new Array(12).fill(120));
    const orange = Array.from({ length: 4 }, () => [200, 100, 50]).flat();
    for (const image of others.slice(0, 5)) image.forEach((v, i) => expect(Math.abs(v - orange[i]!)).toBeLessThan(3));
    others[5]!.forEach((v) => expect(Math.abs(v - 120)).toBeLessThan(3));
    others[6]!.forEach((v) => expect(v).toBeGreaterThan(245));
    rotated.slice(0, 6).forEach((v) => expect(v).toBeGreaterThan(200));
    rotated.slice(6).forEach((v) => expect(v).toBeLessThan(55));
  });

  it('reports what a folder without images in folders has, and what it needs', async () => {
    workspace.write('heap/a.png', await flat(1, 1, [0, 0, 0]));
    expect(await messageOf(open('heap', [1, 1, 3]))).toMatch(
      /images lie in the folder itself \("a.png"\).*sub-folder named after/,
    );
    workspace.write('bitmaps/a/one.heic', 'BM');
    workspace.write('bitmaps/b/two.heic', 'BM');
    expect(await messageOf(open('bitmaps', [1, 1, 3]))).toMatch(
      /no images in its folders \("a", "b"; a has "one.heic"\)/,
    );
    workspace.write('tables/train.csv', 'a,b\n');
    expect(await messageOf(open('tables', [1, 1, 3]))).toMatch(/has files \("train.csv"\).*name the file itself/);
  });

  it('errors: folders against outputs, damaged image, input that is not an image, link out of the workspace', async () => {
    expect(await messageOf(open('pets', [2, 2, 3], 3))).toMatch(
      /2 classes in the data \("a cat", "dog"\) do not match the model's 3 outputs \(classes 0 to 2\)/,
    );
    workspace.write('broken/a/ok.png', await flat(2, 2, [1, 2, 3]));
    workspace.write('broken/b/cut.png', (await flat(64, 64, [1, 2, 3])).subarray(0, 60));
    expect(await messageOf(open('broken', [2, 2, 3]))).toMatch(/broken\/b\/cut\.png: the image is cut short/);
    expect(await messageOf(open('pets', [2, 2, 5]))).toMatch(/images do not fit the model's input of 2 x 2 x 5/);
    expect(await messageOf(open('pets', [7]))).toMatch(/images do not fit/);
    workspace.write('links/a/ok.png', await flat(1, 1, [0, 0, 0]));
    workspace.write('links/b/ok.png', await flat(1, 1, [0, 0, 0]));
    symlinkSync('/etc/hostname', join(workspace.folder, 'links/b/out.png'));
    expect(await messageOf(open('links', [1, 1, 3]))).toMatch(/workspace/);
  });
});
