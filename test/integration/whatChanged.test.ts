/** The sentence and the changes that a real run reports at its end, compared with answers computed without the product's engines. */
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRandom } from '../../daemon/lc/random.js';
import { readModel } from '../../daemon/model/files/readModel.js';
import { readPlan } from '../../daemon/plan/readPlan.js';
import { finishText } from '../../daemon/protocol/finishText.js';
import type { RunEvent } from '../../daemon/protocol/events.js';
import type { WhatChanged } from '../../daemon/protocol/whatChanged.js';
import { openChanged } from '../../daemon/runs/results/changed.js';
import { readFinish } from '../../daemon/runs/results/finish.js';
import { readChanged, readExports } from '../../daemon/runs/results/kept.js';
import { trySample } from '../../daemon/runs/results/trySample.js';
import { startRun } from '../../daemon/runs/supervisor.js';
import { changedFile, runPaths } from '../../daemon/trainer/process/runFolder.js';
import { bundleTrainer, type Bundle } from './trainer/bundle.js';

const NAMES = ['ash', 'birch', 'cedar'];
const FEATURES = 4;
const TEST_ROWS = 300;

let bundle: Bundle;
let workspace: string;
let table: { x: number[]; label: number }[];
let folder: string;
let done: Extract<RunEvent, { event: 'done' }>;

/** Three clouds that overlap, far from 0 so that z-scores matter. */
function drawRows(rows: number, seed: number) {
  const random = createRandom(seed);
  return Array.from({ length: rows }, () => {
    const label = Math.floor(3 * random.next());
    return { label, x: Array.from({ length: FEATURES }, (_, i) => 100 + 8 * (label === i % 3 ? 1 : 0) + 6 * random.normal()) }; // prettier-ignore
  });
}

const csv = (rows: typeof table) =>
  ['a,b,c,d,tree', ...rows.map(({ x, label }) => [...x.map((v) => v.toFixed(4)), NAMES[label]!].join(','))].join('\n');

beforeAll(async () => {
  bundle = await bundleTrainer('daemon/trainer/process/main.ts');
  workspace = await realpath(await mkdtemp(join(tmpdir(), 'changed-')));
  table = drawRows(TEST_ROWS, 2);
  await writeFile(join(workspace, 'train.csv'), csv(drawRows(1200, 1)));
  await writeFile(join(workspace, 'test.csv'), csv(table));
  const random = createRandom(5);
  const dense = (name: string, units: number, activation: string, input?: number) => ({
    class_name: 'Dense',
    config: { name, units, activation, use_bias: true, ...(input !== undefined && { batch_input_shape: [null, input] }) },
  }); // prettier-ignore
  const weights = [
    { name: 'hidden/kernel', shape: [FEATURES, 24] },
    { name: 'hidden/bias', shape: [24] },
    { name: 'tree/kernel', shape: [24, 3] },
    { name: 'tree/bias', shape: [3] },
  ];
  const values = Float32Array.from({ length: weights.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0) }, () => 0.5 * random.normal()); // prettier-ignore
  await writeFile(join(workspace, 'weights.bin'), Buffer.from(values.buffer));
  await writeFile(
    join(workspace, 'model.json'),
    JSON.stringify({
      modelTopology: { class_name: 'Sequential', config: { name: 'trees', layers: [dense('hidden', 24, 'relu', FEATURES), dense('tree', 3, 'softmax')] } },
      weightsManifest: [{ paths: ['weights.bin'], weights: weights.map((one) => ({ ...one, dtype: 'float32' })) }],
    }),
  ); // prettier-ignore
  const planFile = join(workspace, 'trees.prune.json');
  await writeFile(
    planFile,
    JSON.stringify({
      model: 'model.json',
      data: { source: 'train.csv', test: 'test.csv', labels: 'tree', preprocess: { scale: 'standard' } },
      budget: { keep: '20%' },
      reference: { epochs: 6, batchSize: 32 },
      training: { batchSize: 32, learningRate: 0.05 },
      schedule: { iterations: 4, epochs: 2 },
      retrain: { epochs: 2 },
      engine: 'onnx-cpu',
      seed: 1,
    }),
  );
  const plan = await readPlan(planFile, { workspace });
  const handle = await startRun(plan, { workspace, trainer: bundle.path });
  const last = await handle.done;
  if (last.event !== 'done') throw new Error(JSON.stringify(last));
  done = last;
  folder = handle.folder;
}, 120_000);
afterAll(async () => {
  await bundle.remove();
  await rm(workspace, { recursive: true });
});

/** The network by hand, in float64: relu of the first layer, the largest of the second. */
async function answersOf(modelFolder: string): Promise<number[]> {
  const model = await readModel(join(folder, modelFolder, 'model.json'), { workspace: folder });
  const { inputs } = JSON.parse(await readFile(join(folder, modelFolder, 'model.inputs.json'), 'utf8')) as {
    inputs: [{ scale: number[]; shift: number[] }];
  };
  const [{ scale, shift }] = inputs;
  const of = (name: string) => [...model.weights.find((weight) => weight.name === name)!.data];
  const [k1, b1, k2, b2] = ['hidden/kernel', 'hidden/bias', 'tree/kernel', 'tree/bias'].map(of) as [number[], number[], number[], number[]]; // prettier-ignore
  return table.map(({ x }) => {
    const z = x.map((value, i) => Number(value.toFixed(4)) * scale[i]! + shift[i]!);
    const hidden = b1.map((bias, j) => Math.max(0, z.reduce((sum, value, i) => sum + value * k1[i * b1.length + j]!, bias))); // prettier-ignore
    const out = b2.map((bias, j) => hidden.reduce((sum, value, i) => sum + value * k2[i * b2.length + j]!, bias));
    return out.indexOf(Math.max(...out));
  });
}

const confusion = (answers: readonly number[]) =>
  NAMES.map((_, label) =>
    NAMES.map((_, answer) => table.filter((row, i) => row.label === label && answers[i] === answer).length),
  );

const matricesOf = ({ result }: WhatChanged) => (result.kind === 'classes' ? result.matrices! : null)!;

it('the errors are those of the run, and the matrices those of the networks computed by hand', async () => {
  const changed = (await readChanged(folder))!;
  expect([changed.set, changed.samples]).toEqual(['test', TEST_ROWS]);
  // To the last bit, and nothing to note of it.
  expect(changed.pruned).toEqual(done.retrained);
  expect(changed.reference).toEqual(done.reference);
  expect(changed.notes.filter((note) => note.includes('reported'))).toEqual([]);
  const [reference, pruned] = await Promise.all([answersOf('reference'), answersOf('result')]);
  expect(changed.classNames).toEqual(NAMES);
  expect(matricesOf(changed)).toEqual({ reference: confusion(reference), pruned: confusion(pruned) });
  const wrong = pruned.filter((answer, i) => answer !== table[i]!.label).length;
  expect(wrong / TEST_ROWS).toBe(done.retrained.error);
  // Every sample whose answer changed, and the answer of each network.
  const differ = table.flatMap((_, i) => (reference[i] === pruned[i] ? [] : [i]));
  const { worse, better, other, shown } = changed.changed;
  expect(differ.length).toBeGreaterThan(0);
  expect(worse + better + other).toBe(differ.length);
  expect(worse).toBe(differ.filter((i) => reference[i] === table[i]!.label).length);
  expect(shown.map(({ index }) => index).sort((a, b) => a - b)).toEqual(differ);
  for (const one of shown)
    expect([one.label, one.reference, one.pruned]).toEqual([table[one.index]!.label, reference[one.index]!, pruned[one.index]!].map((i) => NAMES[i])); // prettier-ignore
  const sure = shown.filter(({ verdict }) => verdict === 'worse').map(({ prunedSure }) => prunedSure!);
  expect(sure).toEqual([...sure].sort((a, b) => b - a));
  expect(changed.columns).toEqual([['a', 'b', 'c', 'd']]);
});

it('computed later, of a run that did not keep it, it is the same to the last bit', async () => {
  const kept = await readFile(changedFile(folder), 'utf8');
  await rm(changedFile(folder));
  const steps: number[] = [];
  await openChanged(folder, { workspace, onProgress: (n, total) => steps.push(n / total) });
  expect(await readFile(changedFile(folder), 'utf8')).toBe(kept);
  expect(steps.at(-1)).toBe(1);
});

it('every file has an error of its own, the finish its sentence, each figure measured', async () => {
  const exports = (await readExports(folder))!;
  const of = Object.fromEntries(exports.formats.map((one) => [one.format, one]));
  for (const format of ['tfjs-layers', 'keras-h5', 'keras', 'onnx', 'onnx-thinned', 'sparse', 'sparse-thinned'])
    expect(of[format]!.error, format).toBe(done.retrained.error);
  expect(of['tfjs-uint8']!.error).toBeTypeOf('number');
  expect(of['mask-npz']).toMatchObject({ errorNote: 'it holds weights alone' });
  expect(exports.formats.filter(({ recommended }) => recommended).map(({ use }) => use)).toEqual(['web', 'python', 'onnx']); // prettier-ignore
  const finish = (await readFinish(folder))!;
  expect(finish).toMatchObject({ set: 'test', error: done.retrained.error, kept: done.kept, prunable: FEATURES * 24 + 24 * 3, report: true }); // prettier-ignore
  const [reference, ...others] = exports.latency!.rows.filter(({ batch }) => batch === 1);
  expect(reference!.what).toBe('reference');
  expect(finish.speed!.times).toBe(Math.max(...others.map((row) => reference!.microseconds / row.microseconds)));
  expect(finishText(finish)).toMatch(/^[\d.]+x fewer weights, [\d.]+ (B|kB) instead of [\d.]+ (B|kB), .* here, .*the reference \(test\)$/); // prettier-ignore
  // Without the figures of the end, nothing is made up.
  await rm(runPaths(folder).exports);
  expect(await readFinish(folder)).toMatchObject({ size: null, speed: null, error: done.retrained.error });
});

it("a person's row, as stored, is answered as the same sample was; what does not fit is refused by name", async () => {
  const changed = (await readChanged(folder))!;
  const one = changed.changed.shown[0]!;
  const row = table[one.index]!.x.map((value) => Number(value.toFixed(4)));
  const answer = await trySample(folder, { workspace, sample: { kind: 'values', inputs: [row] } });
  expect(answer.reference!.answers[0]!.name).toBe(one.reference);
  expect(answer.pruned.answers[0]!.name).toBe(one.pruned);
  expect(answer.pruned.answers[0]!.value).toBeCloseTo(one.prunedSure!, 4);
  expect(answer.pruned.answers.reduce((sum, { value }) => sum + value!, 0)).toBeCloseTo(1, 5);
  await expect(trySample(folder, { workspace, sample: { kind: 'values', inputs: [[1, 2]] } })).rejects.toThrow(/takes 4 values, the sample has 2/); // prettier-ignore
  await expect(trySample(folder, { workspace, sample: { kind: 'image', name: 'x.png', data: '' } })).rejects.toThrow(/no single image/); // prettier-ignore
});
