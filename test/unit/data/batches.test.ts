import { describe, expect, it } from 'vitest';
import { ShuffledBatches } from '../../../daemon/data/batches/batches.js';
import type { Split } from '../../../daemon/data/dataset.js';
import { sampleSource } from '../../../daemon/data/batches/sampleSource.js';

/** Sample i has the input i and the target -i. */
function counting(size: number, asynchronous = false): Split {
  return {
    size,
    gather(indices, from, count, [x], y) {
      const fill = () => {
        for (let k = 0; k < count; k++) {
          x![k] = indices[from + k]!;
          y[k] = -indices[from + k]!;
        }
      };
      if (asynchronous) return Promise.resolve().then(fill);
      fill();
    },
  };
}

async function take(batches: ShuffledBatches, count: number): Promise<number[][]> {
  const out: number[][] = [];
  for (let i = 0; i < count; i++) {
    const x = new Float32Array(batches.batchSize);
    const y = new Float32Array(batches.batchSize);
    await batches.next([x], y);
    expect([...y]).toEqual([...x].map((v) => -v));
    out.push([...x]);
  }
  return out;
}

describe('ShuffledBatches', () => {
  it('gives every sample at most once per epoch, in a new order each epoch, dropping the partial batch', async () => {
    const batches = new ShuffledBatches(counting(103), 10, 7);
    expect(batches.stepsPerEpoch).toBe(10);
    const epochs = [
      (await take(batches, 10)).flat(),
      (await take(batches, 10)).flat(),
      (await take(batches, 10)).flat(),
    ];
    for (const epoch of epochs) {
      expect(new Set(epoch).size).toBe(100);
      expect(epoch.every((i) => i >= 0 && i < 103)).toBe(true);
    }
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(epochs[1]).not.toEqual(epochs[2]);
    const dropped = epochs.map((epoch) => [...Array(103).keys()].filter((i) => !epoch.includes(i)).join());
    expect(new Set(dropped).size).toBeGreaterThan(1);
    expect(batches.epoch).toBe(3);
  });

  it('shuffles uniformly: every sample is as likely at every place', async () => {
    const batches = new ShuffledBatches(counting(6), 6, 1);
    const counts = Array.from({ length: 6 }, () => new Array<number>(6).fill(0));
    const epochs = 6000;
    for (const [batch] of (await take(batches, epochs)).map((b) => [b])) batch!.forEach((i, at) => counts[i]![at]!++);
    // 36 cells of expectation 1000 and deviation 29: five deviations.
    for (const cell of counts.flat()) expect(Math.abs(cell - epochs / 6)).toBeLessThan(5 * 29);
  });

  it.each([false, true])('continues bit for bit from a state at any step (asynchronous: %s)', async (asynchronous) => {
    const whole = await take(new ShuffledBatches(counting(50, asynchronous), 8, 3), 20);
    for (const stop of [0, 1, 5, 6, 7, 12, 19]) {
      const first = new ShuffledBatches(counting(50, asynchronous), 8, 3);
      await take(first, stop);
      const state = JSON.parse(JSON.stringify(first.state));
      const second = new ShuffledBatches(counting(50, asynchronous), 8, 3);
      await take(second, 3);
      second.restore(state);
      expect(second.epoch).toBe(first.epoch);
      expect(await take(second, 20 - stop)).toEqual(whole.slice(stop));
    }
  });

  it('reads a split on disk one batch ahead, never past the epoch, and hands each failure to its own step', async () => {
    const asked: number[][] = [];
    let broken = false;
    const split: Split = {
      size: 6,
      async gather(indices, from, count, [x]) {
        asked.push([...indices.subarray(from, from + count)]);
        if (broken) throw new Error('disk gone');
        for (let k = 0; k < count; k++) x![k] = indices[from + k]!;
      },
    };
    const batches = new ShuffledBatches(split, 2, 4);
    const x = new Float32Array(2);
    const next = async () => {
      await batches.next([x], new Float32Array(2));
      return [...x];
    };
    const seen = [await next()];
    expect(asked.length).toBe(2);
    seen.push(await next(), await next());
    expect(asked.length).toBe(3);
    expect(seen).toEqual(asked);
    seen.push(await next());
    expect(seen[3]).toEqual(asked[3]);
    broken = true;
    expect(await next()).toEqual(asked[4]);
    await expect(next()).rejects.toThrow('disk gone');
  });

  it('depends on the seed', async () => {
    const [a] = await take(new ShuffledBatches(counting(50), 50, 1), 1);
    const [b] = await take(new ShuffledBatches(counting(50), 50, 2), 1);
    const [again] = await take(new ShuffledBatches(counting(50), 50, 1), 1);
    expect(a).not.toEqual(b);
    expect(again).toEqual(a);
  });

  it('keeps its state small', () => {
    const batches = new ShuffledBatches(counting(60000), 256, 0);
    expect(JSON.stringify(batches.state).length).toBeLessThan(200);
  });

  it('refuses a batch larger than the data, naming the field and the limit', () => {
    expect(() => new ShuffledBatches(counting(50), 64, 0)).toThrow(/50 samples.*"training.batchSize" to 50/);
  });

  it('refuses a state that is not its own', () => {
    const batches = new ShuffledBatches(counting(50), 10, 0);
    expect(() => batches.restore({ ...batches.state, position: 6 })).toThrow(RangeError);
  });
});

describe('sampleSource', () => {
  it('addresses samples by position', async () => {
    const source = sampleSource(counting(20));
    const x = new Float32Array(4);
    await source.read(7, 3, [x], new Float32Array(4));
    expect([...x]).toEqual([7, 8, 9, 0]);
    expect(source.size).toBe(20);
  });
});
