import { describe, expect, it } from 'vitest';
import { augmentImages } from '../../../daemon/data/batches/augment.js';
import { ShuffledBatches } from '../../../daemon/data/batches/batches.js';

const shape = [3, 4, 2] as const;
const image = Array.from({ length: 24 }, (_, i) => i + 1);

/** Every result that flip and shift allow, by definition: pixel (y, x) comes from (y - dy, x - dx), mirrored. */
function possible(flip: boolean, shift: number): Map<string, { mirrored: boolean; dy: number; dx: number }> {
  const results = new Map<string, { mirrored: boolean; dy: number; dx: number }>();
  for (const mirrored of flip ? [false, true] : [false])
    for (let dy = -shift; dy <= shift; dy++)
      for (let dx = -shift; dx <= shift; dx++) {
        const out = [];
        for (let y = 0; y < 3; y++)
          for (let x = 0; x < 4; x++)
            for (let c = 0; c < 2; c++) {
              const [sy, sx] = [y - dy, x - dx];
              const inside = sy >= 0 && sy < 3 && sx >= 0 && sx < 4;
              out.push(inside ? image[(sy * 4 + (mirrored ? 3 - sx : sx)) * 2 + c] : 0);
            }
        results.set(out.join(), { mirrored, dy, dx });
      }
  return results;
}

describe('augmentImages', () => {
  it.each([
    [true, 0],
    [false, 1],
    [true, 2],
  ])('flip %s, shift %d: gives all results of the definition and no other', (flip, shift) => {
    const count = 4000;
    const batch = Float32Array.from({ length: count * 24 }, (_, i) => image[i % 24]!);
    augmentImages({ shape, flip, shift }, batch, count, 5, 2);
    const allowed = possible(flip, shift);
    const seen = new Set<string>();
    for (let k = 0; k < count; k++) {
      const result = [...batch.subarray(k * 24, (k + 1) * 24)].join();
      expect(allowed.has(result)).toBe(true);
      seen.add(result);
    }
    expect(seen.size).toBe(allowed.size);
  });

  it('touches only the first `count` images', () => {
    const batch = Float32Array.from({ length: 48 }, (_, i) => image[i % 24]!);
    augmentImages({ shape, flip: true, shift: 1 }, batch, 1, 1, 2);
    expect([...batch.subarray(24)]).toEqual(image);
  });

  it('is drawn anew for every batch of a run, and the same after a restore', async () => {
    const split = {
      size: 8,
      augmentation: { shape, flip: true, shift: 1 },
      gather(_i: Uint32Array, _f: number, count: number, [x]: readonly Float32Array[]) {
        for (let k = 0; k < count; k++) x!.set(image, k * 24);
      },
    };
    const next = async (batches: ShuffledBatches) => {
      const x = new Float32Array(4 * 24);
      await batches.next([x], new Float32Array(4));
      return [...x];
    };
    const batches = new ShuffledBatches(split, 4, 9);
    const run = [];
    for (let i = 0; i < 7; i++) run.push(await next(batches));
    expect(new Set(run.map(String)).size).toBeGreaterThan(5);
    const first = new ShuffledBatches(split, 4, 9);
    for (let i = 0; i < 3; i++) await next(first);
    const second = new ShuffledBatches(split, 4, 9);
    second.restore(first.state);
    for (let i = 3; i < 7; i++) expect(await next(second)).toEqual(run[i]);
  });
});
