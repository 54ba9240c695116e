import { crc32, inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { encodeApng, type Frame } from '../../editor/pictures/apng.js';

const [WIDTH, HEIGHT] = [7, 5];

/** A frame of one colour with pixels of others. */
function frame(milliseconds: number, colour: number[], spots: [x: number, y: number, colour: number[]][] = []): Frame {
  const pixels = new Uint8Array(3 * WIDTH * HEIGHT);
  for (let i = 0; i < WIDTH * HEIGHT; i++) pixels.set(colour, 3 * i);
  for (const [x, y, value] of spots) pixels.set(value, 3 * (y * WIDTH + x));
  return { pixels, milliseconds };
}

/** Chunks of a PNG by their specification, with their sums checked. */
function chunksOf(png: Buffer): { type: string; data: Buffer }[] {
  expect([...png.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const data = png.subarray(at + 8, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(png.subarray(at + 4, at + 8 + length)));
    chunks.push({ type, data });
    at += 12 + length;
  }
  return chunks;
} // prettier-ignore

/** The frames that a reader of the format shows: each whole, with its time. */
function play(png: Buffer): Frame[] {
  const chunks = chunksOf(png);
  const palette = chunks.find(({ type }) => type === 'PLTE')!.data;
  const alpha = chunks.find(({ type }) => type === 'tRNS')?.data;
  const canvas = new Uint8Array(3 * WIDTH * HEIGHT);
  const shown: Frame[] = [];
  let sequence = 0;
  let control: Buffer = Buffer.alloc(0);
  for (const { type, data } of chunks) {
    if (type === 'fcTL' || type === 'fdAT') expect(data.readUInt32BE(0)).toBe(sequence++);
    if (type === 'fcTL') control = data;
    if (type !== 'IDAT' && type !== 'fdAT') continue;
    const [width, height, left, top] = [4, 8, 12, 16].map((at) => control.readUInt32BE(at)) as [number, number, number, number];
    const lines = inflateSync(type === 'IDAT' ? data : data.subarray(4));
    expect(lines.length).toBe((width + 1) * height);
    for (let y = 0; y < height; y++) {
      expect(lines[y * (width + 1)]).toBe(0);
      for (let x = 0; x < width; x++) {
        const index = lines[y * (width + 1) + 1 + x]!;
        if (control[25] === 1 && alpha?.[index] === 0) continue;
        canvas.set(palette.subarray(3 * index, 3 * index + 3), 3 * ((top + y) * WIDTH + left + x));
      }
    }
    expect(control[24]).toBe(0);
    shown.push({ pixels: canvas.slice(), milliseconds: (1000 * control.readUInt16BE(20)) / control.readUInt16BE(22) });
  }
  return shown;
} // prettier-ignore

describe('an animated PNG', () => {
  const [black, white, red] = [
    [0, 0, 0],
    [255, 255, 255],
    [200, 10, 3],
  ];
  const frames = [
    frame(500, white),
    frame(250, white, [[2, 1, black], [4, 3, red]]),
    frame(70_000, red),
  ]; // prettier-ignore
  const png = encodeApng(WIDTH, HEIGHT, frames);

  test('plays the frames as they were, no time longer than the format can say', () => {
    expect(play(png)).toEqual([frames[0], frames[1], { ...frames[2], milliseconds: 65_535 }]);
    expect(chunksOf(png).map(({ type }) => type)).toEqual([
      'IHDR', 'acTL', 'PLTE', 'tRNS', 'fcTL', 'IDAT', 'fcTL', 'fdAT', 'fcTL', 'fdAT', 'IEND',
    ]); // prettier-ignore
  });

  test('writes only what has changed', () => {
    const second = chunksOf(png).filter(({ type }) => type === 'fcTL')[1]!.data;
    expect([4, 8, 12, 16].map((at) => second.readUInt32BE(at))).toEqual([3, 3, 2, 1]);
  });

  test('leaves pixels out that stay, where that is shorter', () => {
    const noise = (i: number): [number, number, number[]] => [i % WIDTH, Math.floor(i / WIDTH), [(i * 7) % 16, 9, 9]];
    const spots = Array.from({ length: WIDTH * HEIGHT }, (_, i) => noise(i));
    const corners: typeof spots = [[0, 0, red], [WIDTH - 1, HEIGHT - 1, red]]; // prettier-ignore
    const noisy = [frame(1, white, spots), frame(1, white, [...spots, ...corners])];
    const written = encodeApng(WIDTH, HEIGHT, noisy);
    expect(chunksOf(written).filter(({ type }) => type === 'fcTL').map(({ data }) => data[25])).toEqual([0, 1]); // prettier-ignore
    expect(play(written)).toEqual(noisy);
  });

  test('is to a reader of plain PNG its first frame', async () => {
    const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([WIDTH, HEIGHT]);
    expect(new Uint8Array(data)).toEqual(frames[0]!.pixels);
  });

  test('shows a repeated frame longer', () => {
    const repeated = encodeApng(WIDTH, HEIGHT, [frames[0]!, frames[0]!, frames[1]!]);
    expect(play(repeated)).toEqual([{ ...frames[0]!, milliseconds: 1000 }, frames[1]]);
    expect(
      chunksOf(repeated)
        .find(({ type }) => type === 'acTL')!
        .data.readUInt32BE(0),
    ).toBe(2);
  });

  test('refuses what it cannot write', () => {
    expect(() => encodeApng(WIDTH, HEIGHT, [])).toThrow(RangeError);
    expect(() => encodeApng(WIDTH, HEIGHT + 1, frames)).toThrow(/126 bytes/);
    const colourful = Uint8Array.from({ length: 3 * 300 }, (_, i) => (i % 3 === 0 ? Math.floor(i / 3) % 256 : i % 3 === 1 ? Math.floor(i / 768) : 0));
    expect(() => encodeApng(300, 1, [{ pixels: colourful, milliseconds: 1 }])).toThrow(/256 colours/);
  }); // prettier-ignore
});
