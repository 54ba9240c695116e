import { describe, expect, it } from 'vitest';
import { affineMap, applyAffine, featureStatistics, type Preprocess } from '../../../daemon/data/mapping/preprocess.js';
import { channelsLast, memoryStore } from '../../../daemon/data/batches/sampleStore.js';
import { type CopyRows, preparedInput } from '../../../daemon/data/mapping/preparedInput.js';
import { createRandom } from '../../../daemon/lc/random.js';

const random = createRandom(3);
const size = 50;
const shape = [3, 4, 2];
const width = 24;
const pixels = Uint8Array.from({ length: size * width }, () => random.below(256));
const store = memoryStore(pixels, size, shape);
const training = Uint32Array.from([0, 3, 4, 7, 11, 19, 30, 31, 49]);

async function rowsUnder(preprocess: Preprocess): Promise<Float32Array> {
  const rows = Float32Array.from(pixels);
  applyAffine(await affineMap(store, training, preprocess), rows, size, width);
  return rows;
}

/** Textbook mean and deviation over the training rows. */
function moments(feature: number): { mean: number; deviation: number } {
  const values = [...training].map((row) => pixels[row * width + feature]!);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) };
}

describe('preprocessing', () => {
  it.each([
    ['unit' as const, (x: number) => x / 255],
    ['symmetric' as const, (x: number) => x / 127.5 - 1],
    ['signed' as const, (x: number) => 2 * x - 1],
    ['unsigned' as const, (x: number) => (x + 1) / 2],
    ['none' as const, (x: number) => x],
    [0.25, (x: number) => x * 0.25],
  ])('scale %s', async (scale, expected) => {
    const rows = await rowsUnder({ scale, mean: 'none' });
    rows.forEach((value, i) => expect(value).toBeCloseTo(expected(pixels[i]!), 6));
  });

  it('standard: z-scores with the statistics of the training rows alone', async () => {
    const rows = await rowsUnder({ scale: 'standard', mean: 'none' });
    rows.forEach((value, i) => {
      const { mean, deviation } = moments(i % width);
      expect(value).toBeCloseTo((pixels[i]! - mean) / deviation, 4);
    });
  });

  it('mean image: subtracts the scaled training mean of every feature', async () => {
    const rows = await rowsUnder({ scale: 'unit', mean: 'image' });
    rows.forEach((value, i) => expect(value).toBeCloseTo((pixels[i]! - moments(i % width).mean) / 255, 6));
  });

  it('mean channel: subtracts the training mean of the last axis', async () => {
    const rows = await rowsUnder({ scale: 'unit', mean: 'channel' });
    const channel = [0, 1].map((c) => {
      const means = Array.from({ length: 12 }, (_, p) => moments(p * 2 + c).mean);
      return means.reduce((a, b) => a + b, 0) / 12;
    });
    rows.forEach((value, i) => expect(value).toBeCloseTo((pixels[i]! - channel[i % 2]!) / 255, 6));
  });

  it('standard with mean channel: z-scores over all the features of a channel', async () => {
    const rows = await rowsUnder({ scale: 'standard', mean: 'channel' });
    const channel = [0, 1].map((c) => {
      const values = [...training].flatMap((row) =>
        Array.from({ length: 12 }, (_, p) => pixels[row * width + 2 * p + c]!),
      );
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return { mean, deviation: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
    });
    rows.forEach((value, i) => {
      const { mean, deviation } = channel[i % 2]!;
      expect(value).toBeCloseTo((pixels[i]! - mean) / deviation, 4);
    });
  });

  it('a constant feature becomes 0, not NaN', async () => {
    const constant = memoryStore(Float32Array.from([5, 1, 5, 2, 5, 3]), 3, [2]);
    const map = await affineMap(constant, Uint32Array.from([0, 1, 2]), { scale: 'standard', mean: 'none' });
    const rows = Float32Array.from([5, 1, 5, 2, 5, 3]);
    applyAffine(map, rows, 3, 2);
    expect([rows[0], rows[2], rows[4]]).toEqual([0, 0, 0]);
    expect(rows[1]).toBeCloseTo(-Math.sqrt(1.5), 5);
  });

  it('statistics survive a large offset with a small spread', async () => {
    const values = Float32Array.from([16777216, 16777218, 16777220, 16777222]);
    const { mean, deviation } = await featureStatistics(memoryStore(values, 4, [1]), Uint32Array.from([0, 1, 2, 3]));
    expect(mean[0]).toBe(16777219);
    expect(deviation[0]).toBeCloseTo(Math.sqrt(5), 6);
  });

  it('rows converted once equal rows converted on the fly', async () => {
    const map = await affineMap(store, training, { scale: 'standard', mean: 'none' });
    const input = preparedInput(store, map);
    const all = Uint32Array.from({ length: size }, (_, i) => size - 1 - i);
    const [streamed, converted] = [new Float32Array(size * width), new Float32Array(size * width)];
    void input.gather(all, 0, size, streamed);
    void input.gather(all, 0, size, converted);
    expect(converted).toEqual(streamed);
    expect(converted.slice(0, width)).toEqual((await rowsUnder({ scale: 'standard', mean: 'none' })).slice(-width));
  });

  it('leaves converted rows to whom can copy them faster, and no others', async () => {
    const map = await affineMap(store, training, { scale: 'standard', mean: 'none' });
    const input = preparedInput(store, map);
    const all = Uint32Array.from({ length: size }, (_, i) => i);
    const out = new Float32Array(size * width);
    const calls: unknown[][] = [];
    const copyRows = (...[, ...call]: Parameters<CopyRows>) => void calls.push(call);
    void input.gather(all, 0, size, out, copyRows);
    expect(calls).toEqual([]);
    void input.gather(all, 1, 2, out, copyRows);
    expect(calls).toEqual([[width, all, 1, 2, out]]);
  });

  it('gives bytes in memory the statistics of the same numbers read row by row, bit by bit', async () => {
    const rows = memoryStore(Float32Array.from(pixels), size, shape);
    expect(store.pixels).toBe(pixels);
    expect(rows.pixels).toBeUndefined();
    expect(await featureStatistics(store, training)).toEqual(await featureStatistics(rows, training));
  });

  it('looks at channel-first images in the order the model sees them', async () => {
    const planes = memoryStore(Uint8Array.from([1, 2, 3, 4, 10, 20, 30, 40]), 1, [2, 2, 2]);
    const { mean } = await featureStatistics(channelsLast(planes), Uint32Array.from([0]));
    expect([...mean]).toEqual([1, 10, 2, 20, 3, 30, 4, 40]);
  });

  it('computes the statistics of the same rows once', () => {
    expect(featureStatistics(store, training)).toBe(featureStatistics(store, training));
    expect(featureStatistics(store, training)).not.toBe(featureStatistics(store, training.slice(1)));
  });
});

it('many rows in memory as floats are not copied', () => {
  let calls = 0;
  const large = (bytes: boolean) => ({ size: 1 << 20, shape: [32], width: 32, bytes, resident: true, gather: () => void calls++, close() {} }); // prettier-ignore
  const input = preparedInput(large(false), { scale: 1, shift: 0 });
  for (let i = 0; i < 3; i++) void input.gather(new Uint32Array(0), 0, 1 << 20, new Float32Array(0));
  expect(calls).toBe(3);
});
