import { afterAll, describe, expect, it } from 'vitest';
import { chooseMapping, type Reference } from '../../../daemon/data/mapping/chooseMapping.js';
import type { Dataset } from '../../../daemon/data/dataset.js';
import { openDataset } from '../../../daemon/data/openDataset.js';
import type { Preprocess } from '../../../daemon/data/mapping/preprocess.js';
import { scaleCandidates } from '../../../daemon/data/mapping/scaleCandidates.js';
import { referenceOf } from '../../../daemon/trainer/dataMapping.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { classifier, dataConfig, float32, idxBytes, makeWorkspace, npyBytes, readAll } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());
const here = { workspace: workspace.folder, seed: 0 } as const;

const random = createRandom(8);
const n = 120;
const bytes = Array.from({ length: n * 4 }, (_, i) => Math.min(255, random.below(200) + 20 * (i % 4)));
workspace.write('d/images-idx3-ubyte', idxBytes([n, 2, 2], bytes));
workspace.write(
  'd/labels-idx1-ubyte',
  idxBytes(
    [n],
    Array.from({ length: n }, (_, i) => i % 2),
  ),
);

/** Two probabilities for each input: those of its class if the input was memorised, else always those of class 0. */
const byHeart = (memory: { inputs: number[][]; targets: number[][] }): Reference =>
  referenceOf(
    {
      outputShape: [2],
      outputMask: async () => null,
      predict: async ([inputs], count) =>
        Float32Array.from({ length: 2 * count }, (_, at) => {
          const i = at >> 1;
          const known = memory.inputs[i]?.every((v, j) => Math.abs(v - inputs![4 * i + j]!) < 1e-3) ?? false;
          return (at & 1) === (known ? memory.targets[i]!.indexOf(1) : 0) ? 0.9 : 0.1;
        }),
    },
    { loss: 'categoricalCrossentropy' },
    ({ train }) => train,
  );

/** A model "trained" on inputs under `preprocess`, which it has memorised. */
async function trainedOnScale(preprocess: Preprocess): Promise<Reference> {
  const dataset = await openDataset(dataConfig('d'), classifier([2, 2, 1], 2), here);
  const trained = await dataset.withMapping({ preprocess });
  return byHeart(await readAll(trained, trained.train));
}

describe('scale "auto"', () => {
  it.each(scaleCandidates('none', 'pixels', true))(
    'finds %o by the errors of a reference trained on it',
    async (preprocess) => {
      const dataset = await openDataset(dataConfig('d', { scale: 'auto' }), classifier([2, 2, 1], 2), here);
      const choice = await chooseMapping(dataset, { scale: true }, await trainedOnScale(preprocess));
      expect(choice.dataset.mapping.preprocess).toEqual(preprocess);
      expect(choice.scales.map((one) => one.preprocess)).toEqual(scaleCandidates('none', 'pixels', true));
      for (const { preprocess: one, error } of choice.scales)
        expect(error === 0).toBe(one.scale === preprocess.scale && one.mean === preprocess.mean);
      expect(choice.notes[0]).toMatch(/^Input scale(:| chosen by the reference's errors:) .*: 0\.00%/);
    },
  );

  it("scaled pixels stay, or return to the scale of the model's training", async () => {
    const write = (name: string, values: number[]) => {
      const images = Array.from({ length: 20 }, () => values).flat();
      workspace.write(`${name}/x.npy`, npyBytes('<f4', [40, 2, 2], float32(images)));
      workspace.write(
        `${name}/y.npy`,
        npyBytes(
          '|u1',
          [40],
          Uint8Array.from({ length: 40 }, (_, i) => i % 2),
        ),
      );
      return openDataset(dataConfig(`${name}/x.npy`, { scale: 'auto' }), classifier([2, 2, 1], 2), here);
    };
    /** Distinguishes the two images if the largest value is `largest` and the smallest `smallest`. */
    const wanting = (smallest: number, largest: number): Reference =>
      referenceOf(
        {
          outputShape: [2],
          outputMask: async () => null,
          predict: async ([inputs], count) => {
            const values = [...inputs!.subarray(0, 4 * count)];
            const right = Math.min(...values) === smallest && Math.max(...values) === largest;
            // The second image has the lower second value, in either data set, or the higher one.
            const seconds = Array.from({ length: count }, (_, i) => values[4 * i + 1]!);
            const low = Math.min(...seconds);
            return Float32Array.from(seconds.flatMap((v) => (right && v !== low ? [0.1, 0.9] : [0.9, 0.1])));
          },
        },
        { loss: 'categoricalCrossentropy' },
        ({ train }) => train,
      );
    const scale = async (dataset: Dataset, reference: Reference) =>
      (await chooseMapping(dataset, { scale: true }, reference)).dataset.mapping.preprocess.scale;
    const unit = await write('unit', [0, 0.25, 0.5, 1, 0, 0.75, 0.5, 1]);
    expect(unit.range).toBe('unit');
    expect(await scale(unit, wanting(0, 1))).toBe('none');
    expect(await scale(unit, wanting(-1, 1))).toBe('signed');
    expect(await scale(unit, wanting(0, 255))).toBe(255);
    const signed = await write('signed', [-1, 0.25, 0.5, 1, 0, 0.75, -1, 1]);
    expect(signed.range).toBe('signed');
    expect(await scale(signed, wanting(0, 1))).toBe('unsigned');
    expect(await scale(signed, wanting(-1, 1))).toBe('none');
  });

  it('is the usual one for a model that is no better than chance under any, with a note', async () => {
    const dataset = await openDataset(dataConfig('d', { scale: 'auto' }), classifier([2, 2, 1], 2), here);
    expect(dataset.mapping.preprocess.scale).toBe('unit');
    const random = createRandom(1);
    const reference: Reference = {
      ...byHeart({ inputs: [], targets: [] }),
      outputMask: async () => null,
      predict: async (_, count) => Float32Array.from({ length: 2 * count }, () => random.next()),
    };
    const choice = await chooseMapping(dataset, { scale: true }, reference);
    expect(choice.dataset.mapping.preprocess).toEqual({ scale: 'unit', mean: 'none' });
    expect(choice.unusual).toBe(false);
    expect(choice.notes[0]).toMatch(
      /^Input scale: x\/255, the usual one, as the reference is not clearly better than always the same answer/,
    );
  });

  it('of a rare class that the model hardly ever finds is the one under which it errs less', async () => {
    // One image of 20 is of class 1. As stored, the model finds every second of them; as x/255 it answers "1" to every third image.
    const rows = 400;
    const values = Array.from({ length: rows * 4 }, (_, i) => (i % 4 === 0 ? Math.floor(i / 4) % 256 : 255));
    workspace.write('rare/images-idx3-ubyte', idxBytes([rows, 2, 2], values));
    workspace.write('rare/labels-idx1-ubyte', idxBytes([rows], Array.from({ length: rows }, (_, i) => Number(i % 20 === 0)))); // prettier-ignore
    const dataset = await openDataset(dataConfig('rare', { scale: 'auto' }), classifier([2, 2, 1], 2), here);
    const noise = createRandom(5);
    const positives = (await readAll(dataset, dataset.train)).targets.flatMap((y, i) => (y[1] === 1 ? [i] : []));
    const asked = (found: readonly number[]): Reference =>
      referenceOf(
        {
          outputShape: [2],
          outputMask: async () => null,
          predict: async ([inputs], count) => {
            const isStored = inputs![1] === 255;
            const yes = (i: number) => (isStored ? found.includes(i) : noise.next() < 1 / 3);
            return Float32Array.from(
              Array.from({ length: count }, (_, i) => (yes(i) ? [0.2, 0.8] : [0.8, 0.2])).flat(),
            );
          },
        },
        { loss: 'categoricalCrossentropy' },
        ({ train }) => train,
      );
    const some = positives.filter((_, at) => at % 2 === 0);
    const choice = await chooseMapping(dataset, { scale: true }, asked(some));
    expect(choice.dataset.mapping.preprocess).toEqual({ scale: 'none', mean: 'none' });
    expect(choice.notes[0]).toMatch(/^Input scale chosen by the reference's errors: as stored \(as stored: 2\.\d+%; /);
    // A model that finds no positive sample is no evidence, though it makes as few errors.
    const never = await chooseMapping(dataset, { scale: true }, asked([]));
    expect(never.dataset.mapping.preprocess).toEqual({ scale: 'unit', mean: 'none' });
    expect(never.notes[0]).toContain('not clearly better than always the same answer under any');
  });

  it('outputs that are not numbers never win, and a stated mean is kept', async () => {
    const dataset = await openDataset(
      dataConfig('d', { scale: 'auto', mean: 'image' }),
      classifier([2, 2, 1], 2),
      here,
    );
    const right = await trainedOnScale({ scale: 'none', mean: 'image' });
    const reference: Reference = {
      ...right,
      outputMask: async () => null,
      predict: async (inputs, count) => {
        const known = await right.predict(inputs, count);
        return Math.max(...inputs[0]!.map(Math.abs)) > 2 ? known : known.fill(NaN);
      },
    };
    const choice = await chooseMapping(dataset, { scale: true }, reference);
    expect(choice.scales.map(({ error }) => error)).toEqual([1, 0, 1]);
    expect(choice.dataset.mapping.preprocess).toEqual({ scale: 'none', mean: 'image' });
  });
});
