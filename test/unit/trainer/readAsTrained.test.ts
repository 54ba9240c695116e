/** Networks that fit their data are read as they were trained, whatever the seed: trained here, on every usual scale. */
import { afterAll, expect, it } from 'vitest';
import type { DataRequirements, Dataset } from '../../../daemon/data/dataset.js';
import { openDataset } from '../../../daemon/data/openDataset.js';
import type { Preprocess } from '../../../daemon/data/mapping/preprocess.js';
import { createRandom, type Random } from '../../../daemon/lc/random.js';
import { mapByReference } from '../../../daemon/trainer/dataMapping.js';
import { classifier, dataConfig, float32, idxBytes, makeWorkspace, npyBytes, readAll } from '../data/fixtures.js';
import { smallNetwork, type SmallNetwork } from './smallNetwork.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());

const SIDE = 6;
const PIXELS = SIDE * SIDE;
const CLASSES = 5;
const SAMPLES = 600;
/** 50 by `npm run test:seeds`. */
const SEEDS = Number(process.env['LC_PRUNE_SEEDS'] ?? 10);

/** Bytes: strokes of a class on its own background, moved by a pixel and of uneven brightness. */
function pictures(random: Random, dark: boolean): { pixels: Uint8Array; labels: number[] } {
  const strokes = Array.from({ length: CLASSES }, () =>
    Array.from({ length: 3 }, () => [1 + random.below(SIDE - 2), random.below(2)] as const),
  );
  // The same in every picture: a mean that is worth subtracting.
  const ground = Array.from({ length: PIXELS }, () => (dark ? 0 : 40 + random.below(100)));
  const pixels = Uint8Array.from(
    { length: SAMPLES * PIXELS },
    (_, i) => ground[i % PIXELS]! + (dark ? 0 : random.below(30)),
  );
  const labels = Array.from({ length: SAMPLES }, (_, n) => {
    const label = random.below(CLASSES);
    const moved = random.below(2);
    for (const [place, upright] of strokes[label]!) {
      for (let along = 1; along < SIDE - 1; along++) {
        const [row, column] = upright ? [along, place] : [place, along];
        if (random.next() < 0.85)
          pixels[n * PIXELS + row * SIDE + Math.min(SIDE - 1, column + moved)] = 140 + random.below(116);
      }
    }
    for (let noise = 0; noise < 6; noise++) pixels[n * PIXELS + random.below(PIXELS)] = random.below(256);
    return label;
  });
  return { pixels, labels };
}

/** Trains until the loss is below `loss`, or for `epochs`. @returns the last epoch's mean loss. */
async function trained(dataset: Dataset, network: SmallNetwork, loss: number, batch = 32, epochs = 150) {
  const { inputs, targets } = await readAll(dataset, dataset.train);
  const [x, y] = [Float32Array.from(inputs.flat()), Float32Array.from(targets.flat())];
  const [wide, deep] = [inputs[0]!.length, targets[0]!.length];
  let mean = Infinity;
  for (let epoch = 0; epoch < epochs && mean >= loss; epoch++) {
    mean = 0;
    for (let at = 0; at < inputs.length; at += batch) {
      const count = Math.min(batch, inputs.length - at);
      mean +=
        (count / inputs.length) *
        network.step(x.subarray(at * wide, (at + count) * wide), y.subarray(at * deep), count);
    }
  }
  return mean;
}

const reading = (dataset: Dataset, network: SmallNetwork, outputs: number, loss: 'categoricalCrossentropy' | 'meanSquaredError') =>
  mapByReference(
    { scale: 'auto' },
    dataset,
    { outputShape: [outputs], outputMask: async () => null, predict: async ([inputs], count) => network.predict(inputs!, count) },
    { loss, classification: loss === 'categoricalCrossentropy' },
  ); // prettier-ignore

const SCALES: readonly [string, Preprocess, number][] = [
  ['x/255', { scale: 'unit', mean: 'none' }, 0.01],
  ['raw bytes', { scale: 'none', mean: 'none' }, 0.003],
  ['x/127.5 - 1', { scale: 'symmetric', mean: 'none' }, 0.01],
  ['z-scores', { scale: 'standard', mean: 'none' }, 0.01],
  ['x/255 less the mean', { scale: 'unit', mean: 'image' }, 0.01],
];

it.each(SCALES)(
  'bytes, trained on %s, hardly or by heart: each seed',
  async (name, preprocess, rate) => {
    // Networks that learn on what is not centred get pictures that are mostly 0, as digits are.
    const dark = preprocess.mean === 'none' && (preprocess.scale === 'unit' || preprocess.scale === 'none');
    const wrong: string[] = [];
    for (let seed = 0; seed < SEEDS; seed++) {
      const { pixels, labels } = pictures(createRandom(seed, 2), dark);
      const folder = `${name.replaceAll('/', ' ')} ${seed}`;
      workspace.write(`${folder}/images-idx3-ubyte`, idxBytes([SAMPLES, SIDE, SIDE], pixels));
      workspace.write(`${folder}/labels-idx1-ubyte`, idxBytes([SAMPLES], labels));
      const here = { workspace: workspace.folder, seed };
      const dataset = await openDataset(dataConfig(folder, { scale: 'auto' }), classifier([PIXELS], CLASSES), here);
      const network = smallNetwork(PIXELS, dark ? 32 : 12, CLASSES, { seed, rate });
      const left = await trained(await dataset.withMapping({ preprocess }), network, seed % 2 === 0 ? 0.1 : 0.002);
      expect(left, `seed ${seed} does not fit its data`).toBeLessThan(0.35);
      const choice = await reading(dataset, network, CLASSES, 'categoricalCrossentropy');
      const found = choice.dataset.mapping.preprocess;
      if (found.scale !== preprocess.scale || found.mean !== preprocess.mean)
        wrong.push(`seed ${seed}: ${choice.notes[0]}`);
    }
    expect(wrong).toEqual([]);
  },
  300_000,
);

/** Bytes of noise, with a pattern beneath it in one picture of 20; the label is 1 for those. */
function rarePictures(random: Random): { pixels: Uint8Array; labels: number[] } {
  const pattern = Array.from({ length: PIXELS }, () => 28 * random.normal());
  const labels = Array.from({ length: 2 * SAMPLES }, () => Number(random.next() < 0.05));
  const pixels = labels.flatMap((label) => pattern.map((p) => Math.max(0, Math.min(255, 110 + 60 * random.normal() + label * p)))); // prettier-ignore
  return { pixels: Uint8Array.from(pixels), labels };
}

// Networks that err little less than always "0": some know nothing, and those are read the usual way. The last number is of 50.
it.each<[string, number, Preprocess, number]>([
  ['x/127.5 - 1', 7, { scale: 'symmetric', mean: 'none' }, 5],
  ['x/255', 2, { scale: 'unit', mean: 'none' }, 0],
  ['nothing', 0, { scale: 'unit', mean: 'none' }, 0],
])('a rare class, trained on %s for %d epochs: each seed', async (name, epochs, preprocess, most) => {
  const wrong: string[] = [];
  for (let seed = 0; seed < SEEDS; seed++) {
    const { pixels, labels } = rarePictures(createRandom(seed, 2));
    const folder = `rare ${name.replaceAll('/', ' ')} ${seed}`;
    workspace.write(`${folder}/images-idx3-ubyte`, idxBytes([labels.length, SIDE, SIDE], pixels));
    workspace.write(`${folder}/labels-idx1-ubyte`, idxBytes([labels.length], labels));
    const here = { workspace: workspace.folder, seed };
    const dataset = await openDataset(dataConfig(folder, { scale: 'auto' }), classifier([PIXELS], 2), here);
    const network = smallNetwork(PIXELS, 8, 2, { seed, rate: 0.01 });
    await trained(await dataset.withMapping({ preprocess }), network, 0, 32, epochs);
    const choice = await reading(dataset, network, 2, 'categoricalCrossentropy');
    if (choice.dataset.mapping.preprocess.scale !== preprocess.scale) wrong.push(`seed ${seed}: ${choice.notes[0]}`);
  }
  expect(wrong.length, wrong.join('\n')).toBeLessThanOrEqual(Math.ceil((most * SEEDS) / 50));
}, 120_000); // prettier-ignore

const regression: DataRequirements = { inputShapes: [[5]], outputShape: [1], classification: false };

it.each<[string, Preprocess]>([
  ['as stored', { scale: 'none', mean: 'none' }],
  ['z-scores', { scale: 'standard', mean: 'none' }],
])('a regression on floats, trained on %s: each seed', async (name, preprocess) => {
  const wrong: string[] = [];
  for (let seed = 0; seed < SEEDS; seed++) {
    const random = createRandom(seed, 3);
    const rows = Array.from({ length: 200 }, () => Array.from({ length: 5 }, (_, j) => 3 * random.normal() * (1 + j) + j));
    const y = rows.map((row) => Math.max(0, row[0]! + row[4]! / 5) + Math.abs(row[2]!) / 3 + 0.1 * random.normal());
    const file = `${name} ${seed}`;
    workspace.write(`${file}/x.npy`, npyBytes('<f4', [200, 5], float32(rows.flat())));
    workspace.write(`${file}/y.npy`, npyBytes('<f4', [200, 1], float32(y)));
    const here = { workspace: workspace.folder, seed };
    const dataset = await openDataset(dataConfig(`${file}/x.npy`, { scale: 'auto' }), regression, here);
    expect(dataset.range).toBe('other');
    const network = smallNetwork(5, 16, 1, { seed, rate: 0.01, regression: true });
    await trained(await dataset.withMapping({ preprocess }), network, 0.2);
    const choice = await reading(dataset, network, 1, 'meanSquaredError');
    if (choice.dataset.mapping.preprocess.scale !== preprocess.scale) wrong.push(`seed ${seed}: ${choice.notes[0]}`);
  }
  expect(wrong).toEqual([]);
}, 120_000); // prettier-ignore
