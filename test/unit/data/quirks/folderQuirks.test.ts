import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../../daemon/lc/random.js';
import { classifier, makeWorkspace, readAll } from '../fixtures.js';
import { expectRefused, open } from './known.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const random = createRandom(4);
const SIDE = 4;
/** Six images of 4 x 4 in RGB, all values even, and their classes. */
const IMAGES = Array.from({ length: 6 }, () =>
  Uint8Array.from({ length: SIDE * SIDE * 3 }, () => 2 * random.below(127)),
);
const CLASS = ['cat', 'dog', 'cat', 'dog', 'cat', 'dog'];
const read = { requirements: classifier([SIDE, SIDE, 3], 2) };

const raw = (pixels: Uint8Array, channels: 1 | 3 | 4 = 3) =>
  sharp(pixels, { raw: { width: SIDE, height: SIDE, channels } });
const png = (pixels: Uint8Array) => raw(pixels).png().toBuffer();
type Encode = (pixels: Uint8Array, i: number) => Promise<Uint8Array> | Uint8Array;

async function folder(name: string, encode: Encode = png, ending = 'png', within = ''): Promise<void> {
  for (const [i, pixels] of IMAGES.entries())
    workspace.write(`${name}/${within}${CLASS[i]}/${i}.${ending}`, await encode(pixels, i));
}

/** @param largest difference of a value, for formats that lose some. */
async function expectImages(name: string, largest = 0): Promise<readonly string[]> {
  const dataset = await open(workspace, name, read);
  const { inputs, targets } = await readAll(dataset, dataset.test);
  expect(dataset.classes).toEqual(['cat', 'dog']);
  expect(targets.map((target) => ['cat', 'dog'][target.indexOf(1)])).toEqual(CLASS);
  expect(inputs.length).toBe(IMAGES.length);
  for (const [i, values] of inputs.entries())
    for (const [k, value] of values.entries()) expect(Math.abs(value - IMAGES[i]![k]!)).toBeLessThanOrEqual(largest);
  return dataset.notes;
}

/** A bitmap, written from its specification: rows of 4 x 4 pixels, each row of whole words. */
function bmp(bits: number, pixel: (x: number, y: number) => number, more: { topDown?: boolean; masks?: number[]; palette?: number[][]; old?: boolean } = {}): Uint8Array {
  const { topDown = false, masks = [], palette = [], old = false } = more;
  const header = old ? 12 : 40;
  const start = 14 + header + 4 * masks.length + (old ? 3 : 4) * palette.length;
  const rowBytes = Math.ceil((SIDE * bits) / 32) * 4;
  const file = Buffer.alloc(start + rowBytes * SIDE);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(start, 10);
  file.writeUInt32LE(header, 14);
  if (old) [SIDE, SIDE, 1, bits].forEach((value, i) => file.writeUInt16LE(value, 18 + 2 * i));
  else {
    file.writeInt32LE(SIDE, 18);
    file.writeInt32LE(topDown ? -SIDE : SIDE, 22);
    file.writeUInt16LE(1, 26);
    file.writeUInt16LE(bits, 28);
    file.writeUInt32LE(masks.length > 0 ? 3 : 0, 30);
    file.writeUInt32LE(palette.length, 46);
  }
  masks.forEach((mask, i) => file.writeUInt32LE(mask, 54 + 4 * i));
  palette.forEach(([r, g, b], i) => file.set([b!, g!, r!], 14 + header + (old ? 3 : 4) * i));
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const row = start + rowBytes * (topDown ? y : SIDE - 1 - y);
      const value = pixel(x, y);
      if (bits < 8) file[row + ((x * bits) >> 3)]! |= value << (8 - bits - ((x * bits) & 7));
      else file.writeUIntLE(value, row + (x * bits) / 8, bits / 8);
    }
  return file;
} // prettier-ignore

const rgb = (pixels: Uint8Array, x: number, y: number) => [
  ...pixels.subarray((y * SIDE + x) * 3, (y * SIDE + x) * 3 + 3),
];
const word = (pixels: Uint8Array) => (x: number, y: number) => rgb(pixels, x, y).reduce((sum, v) => sum * 256 + v, 0);
/** Sixteen pixels are sixteen colors. */
const colors = (pixels: Uint8Array) =>
  Array.from({ length: 16 }, (_, i) => rgb(pixels, i % SIDE, Math.floor(i / SIDE)));
const place = (x: number, y: number) => y * SIDE + x;

describe('image folders with quirks are read right', () => {
  it.each<[string, Encode, string?, number?]>([
    ['PNG', png],
    ['PNG of 16 bits', (pixels) => raw(pixels).toColourspace('rgb16').png().toBuffer(), 'png', 1],
    ['PNG with alpha, dropped', (pixels) => raw(pixels).ensureAlpha(0.5).png().toBuffer()],
    ['WebP without loss', (pixels) => raw(pixels).webp({ lossless: true }).toBuffer(), 'webp'],
    ['TIFF', (pixels) => raw(pixels).tiff({ compression: 'lzw' }).toBuffer(), 'tif'],
    ['an ending in capitals', png, 'PNG'],
    ['an ending of another format', png, 'jpg'],
    ['BMP of 24 bits', (pixels) => bmp(24, word(pixels)), 'bmp'],
    ['BMP of 24 bits, top-down', (pixels) => bmp(24, word(pixels), { topDown: true }), 'bmp'],
    ['BMP of OS/2', (pixels) => bmp(24, word(pixels), { old: true }), 'bmp'],
    ['BMP of 32 bits', (pixels) => bmp(32, word(pixels)), 'BMP'],
    ['BMP of 32 bits with masks', (pixels) => bmp(32, (x, y) => { const [r, g, b] = rgb(pixels, x, y); return r! + 256 * g! + 65536 * b!; }, { masks: [0xff, 0xff00, 0xff0000] }), 'bmp'],
    ['BMP of 8 bits', (pixels) => bmp(8, place, { palette: colors(pixels) }), 'bmp'],
    ['BMP of 4 bits', (pixels) => bmp(4, place, { palette: colors(pixels) }), 'bmp'],
    ['BMP of 16 bits, five for a color', (pixels) => bmp(16, (x, y) => rgb(pixels, x, y).reduce((sum, v) => sum * 32 + (v >> 3), 0)), 'bmp', 8],
  ])('%s', async (quirk, encode, ending, largest) => {
    const name = quirk.replace(/\W+/g, ' ');
    await folder(name, encode, ending);
    await expectImages(name, largest);
  }); // prettier-ignore

  it('BMP of 1 bit: black and white', async () => {
    for (const kind of ['a', 'b'])
      workspace.write(`bits/${kind}/1.bmp`, bmp(1, (x, y) => (x + y) % 2, { palette: [[0, 0, 0], [255, 255, 255]] })); // prettier-ignore
    const dataset = await open(workspace, 'bits', { requirements: classifier([SIDE, SIDE, 1], 2) });
    const { inputs } = await readAll(dataset, dataset.test);
    const checkered = Array.from({ length: 16 }, (_, i) => 255 * (((i % 4) + (i >> 2)) % 2));
    expect(inputs).toEqual([checkered, checkered]);
  });

  it.each([
    ['one folder around those of the classes', 'around', 'images/', 'The classes are the folders in around/images.'],
    ['two folders around them', 'around twice', 'data/images/', 'The classes are the folders in around twice/data/images.'],
    ['a folder around "train"', 'around train', 'set/train/', 'The classes are the folders in around train/set/train.'],
  ])('%s', async (_, name, within, note) => {
    await folder(name, png, 'png', within);
    workspace.write(`${name}/README.txt`, 'about');
    expect(await expectImages(name)).toContain(note);
  }); // prettier-ignore

  it('files of systems and editors are neither images nor classes', async () => {
    await folder('mac');
    const left = ['.DS_Store', 'Thumbs.db', '__MACOSX/cat/._0.png', '.git/x.png', 'cat/.DS_Store', 'cat/._0.png', 'cat/Thumbs.db', 'cat/.ipynb_checkpoints/0-checkpoint.png']; // prettier-ignore
    for (const name of left) workspace.write(`mac/${name}`, 'no image');
    expect(await expectImages('mac')).toEqual(['Images are read as 4 x 4 x 3.', 'Classes, in the order of the model\'s outputs: "cat", "dog" (sorted as text).']); // prettier-ignore
  });

  it('an empty folder is not a class if the outputs are those of the others; images beside folders are noted', async () => {
    await folder('hollow');
    mkdirSync(join(workspace.folder, 'hollow/bird'));
    workspace.write('hollow/loose.png', await png(IMAGES[0]!));
    const notes = await expectImages('hollow');
    expect(notes).toContain('Left out, as there are no images in it: "bird".');
    expect(notes).toContain('Left out, as in no folder of a class: 1 image.');
    // Where the model has an output for it, it is one.
    const three = await open(workspace, 'hollow', { requirements: classifier([SIDE, SIDE, 3], 3) });
    expect(three.classes).toEqual(['bird', 'cat', 'dog']);
  });

  it('grey, sizes of all kinds and EXIF rotation', async () => {
    const grey = Uint8Array.from({ length: 16 }, (_, i) => 10 * i);
    workspace.write('mixed/a/grey.png', await raw(grey, 1).toColourspace('b-w').png().toBuffer());
    const turned = await raw(IMAGES[0]!).rotate(270).webp({ lossless: true }).withMetadata({ orientation: 6 }).toBuffer();
    workspace.write('mixed/b/turned.webp', turned);
    workspace.write('mixed/b/wide.png', await raw(IMAGES[0]!).resize(9, 5).png().toBuffer());
    const dataset = await open(workspace, 'mixed', read);
    const { inputs } = await readAll(dataset, dataset.test);
    expect(inputs.map((values) => values.length)).toEqual([48, 48, 48]);
    expect(inputs[0]).toEqual([...grey].flatMap((v) => [v, v, v]));
    expect(inputs[1]).toEqual([...IMAGES[0]!]);
    // Keras would read it as it lies in the file.
    expect(dataset.notes.filter((note) => note.includes('EXIF'))).toEqual([
      expect.stringMatching(/^One image is turned upright by the EXIF in the file, .*Keras, PyTorch and Pillow do not/),
    ]);
  }); // prettier-ignore

  it('JPEG in CMYK', async () => {
    const flat = Uint8Array.from({ length: 48 }, (_, i) => [150, 120, 100][i % 3]!);
    for (const kind of ['a', 'b'])
      workspace.write(`cmyk/${kind}/1.jpg`, await raw(flat).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer());
    const dataset = await open(workspace, 'cmyk', read);
    const { inputs } = await readAll(dataset, dataset.test);
    // The colors of printing inks are fewer.
    for (const [k, value] of inputs[0]!.entries()) expect(Math.abs(value - flat[k]!)).toBeLessThanOrEqual(25);
  });
});

describe('images that cannot be read are refused in one sentence', () => {
  it('cut short: JPEG, PNG, BMP', async () => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, () => random.below(256));
    const image = sharp(noise, { raw: { width: 64, height: 64, channels: 3 } });
    const cut = async (name: string, file: Uint8Array) => {
      await folder(name);
      workspace.write(`${name}/cat/9.${name}`, file);
    };
    await cut('jpg', (await image.jpeg().toBuffer()).subarray(0, 2000));
    await expectRefused(workspace, 'jpg', '/cat/9.jpg: the image is cut short (there are 2,000 bytes of it); get it again, or remove it', read); // prettier-ignore
    await cut('png', (await image.png().toBuffer()).subarray(0, 2000));
    await expectRefused(workspace, 'png', '/cat/9.png: the image is cut short (there are 2,000 bytes of it); get it again, or remove it', read); // prettier-ignore
    await cut('bmp', bmp(24, word(IMAGES[0]!)).subarray(0, 80));
    await expectRefused(workspace, 'bmp', '/cat/9.bmp: the image is cut short (there are 80 bytes of it); get it again, or remove it', read); // prettier-ignore
  });

  it('a text called image, a compressed bitmap, an empty file, images of other kinds, a pickle', async () => {
    await folder('text');
    workspace.write('text/cat/9.png', 'hello, this is no image');
    await expectRefused(workspace, 'text', '/cat/9.png: not a readable image (Input buffer contains unsupported image format); repair or remove it', read); // prettier-ignore
    await folder('rle');
    const compressed = Buffer.from(bmp(8, place, { palette: colors(IMAGES[0]!) }));
    compressed.writeUInt32LE(1, 30);
    workspace.write('rle/cat/9.bmp', compressed);
    await expectRefused(workspace, 'rle', '/cat/9.bmp: not a readable image (a compressed bitmap; save it as PNG); repair or remove it', read); // prettier-ignore
    await folder('none');
    workspace.write('none/dog/9.png', '');
    await expectRefused(workspace, 'none', '/dog/9.png: the image file is empty', read);
    workspace.write('phone/a/1.heic', 'ftypheic');
    workspace.write('phone/b/2.heic', 'ftypheic');
    await expectRefused(workspace, 'phone', ': no images in its folders ("a", "b"; a has "1.heic"): it needs one sub-folder of PNG or JPEG files per class, or a pair of IDX files', read); // prettier-ignore
    workspace.write('data.pkl', Buffer.from('\x80\x04\x95\x0a\0\0\0\0\0\0\0}\x94.', 'latin1'));
    await expectRefused(workspace, 'data.pkl', ': this is a Python pickle, not data that is read here: a pickle is a program, and is not run: save the arrays with numpy.savez', read); // prettier-ignore
  });
});
