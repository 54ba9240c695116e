/** Data without labels, in every format: the inputs as ever, no targets, and texts that promise none. */
import sharp from 'sharp';
import { zipSync } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../../daemon/data/dataset.js';
import { describeData } from '../../../daemon/data/describeData.js';
import { openDataset } from '../../../daemon/data/openDataset.js';
import { previewSamples } from '../../../daemon/data/preview.js';
import type { ResolvedData } from '../../../daemon/protocol/resolvedPlan.js';
import { classifier, dataConfig, float32, idxBytes, makeWorkspace, messageOf, npyBytes, readAll } from './fixtures.js';

const workspace = makeWorkspace();
afterAll(() => workspace.remove());

const open = (source: string, shape: number[], more: Partial<ResolvedData> = {}): Promise<Dataset> =>
  openDataset(dataConfig(source, { labels: false, ...more }), classifier(shape, 3), {
    workspace: workspace.folder,
    seed: 1,
    trusted: true,
  });

/** The inputs of all samples that are trained or tested on, sorted. @throws if there is a target. */
async function inputsOf(dataset: Dataset): Promise<number[][]> {
  expect(dataset.unlabelled).toBe(true);
  expect(dataset.encodings).toHaveLength(1);
  expect(dataset.classes).toBeUndefined();
  const parts = [dataset.train, dataset.validation, dataset.test];
  const all = await Promise.all(parts.map((part) => readAll(dataset, part)));
  const targets = all.flatMap((part) => part.targets.flat());
  expect(targets.length).toBeGreaterThan(0);
  expect(targets.every(Number.isNaN)).toBe(true);
  return all.flatMap(({ inputs }) => inputs).sort((a, b) => a[0]! - b[0]!);
}

const rows = Array.from({ length: 20 }, (_, i) => [i, 100 + i]);
const values = float32(rows.flat());

describe('inputs without labels', () => {
  it.each([
    ['plain.csv', 'a,b\n', (row: number[]) => row.join(',')],
    ['headless.csv', '', (row: number[]) => row.join(',')],
    // Names of the rows are no input.
    ['named.csv', 'species,a,b\n', (row: number[]) => `kind${row[0]! % 3},${row.join(',')}`],
  ])('come from the table %s', async (name, header, line) => {
    workspace.write(name, header + rows.map(line).join('\n') + '\n');
    const dataset = await open(name, [2]);
    expect(await inputsOf(dataset)).toEqual(rows);
    expect(dataset.fields!.labels).toEqual([]);
    expect(describeData(dataset)).toBe('20 rows, 2 inputs, no labels');
    const { samples } = await previewSamples(dataset, 3, ['x']);
    expect(samples.map(({ label }) => label)).toEqual(['', '', '']);
  });

  it('come from tables with their own test part, in the columns that the plan names', async () => {
    const text = (own: readonly number[][]) => `label,b,a\n${own.map(([a, b]) => `1,${b},${a}`).join('\n')}\n`;
    workspace.write('train.csv', text(rows.slice(0, 15)));
    workspace.write('test.csv', text(rows.slice(15)));
    expect(await messageOf(open('train.csv', [2]))).toContain('choose the columns or array with "data.inputs"');
    const dataset = await open('train.csv', [2], { test: 'test.csv', inputs: ['a', 'b'] });
    expect(await inputsOf(dataset)).toEqual(rows);
    expect(dataset.test.size).toBe(5);
  });

  it('come from NumPy arrays', async () => {
    workspace.write('alone.npy', npyBytes('<f4', [20, 2], values));
    expect(await inputsOf(await open('alone.npy', [2]))).toEqual(rows);
    workspace.write('alone.npz', zipSync({ 'x.npy': npyBytes('<f4', [20, 2], values) }));
    expect(await inputsOf(await open('alone.npz', [2]))).toEqual(rows);
    const test = npyBytes('<f4', [1, 2], float32([-1, -1]));
    workspace.write('both.npz', zipSync({ 'x_train.npy': npyBytes('<f4', [20, 2], values), 'x_test.npy': test }));
    const both = await open('both.npz', [2]);
    expect(await inputsOf(both)).toEqual([[-1, -1], ...rows]);
    expect(both.test.size).toBe(1);
    expect(both.fields).toMatchObject({ inputs: [['x_train']], labels: [] });
  });

  it('come from IDX files, with labels beside them or not', async () => {
    workspace.write('alone-images.idx', idxBytes([20, 2], rows.flat()));
    expect(await inputsOf(await open('alone-images.idx', [2]))).toEqual(rows);
    workspace.write('pairs/train-images-idx2-ubyte', idxBytes([20, 2], rows.flat()));
    workspace.write(
      'pairs/train-labels-idx1-ubyte',
      idxBytes(
        [20],
        rows.map(([i]) => i! % 3),
      ),
    );
    expect(await inputsOf(await open('pairs', [2]))).toEqual(rows);
  });

  it('come from a module that yields inputs only', async () => {
    workspace.write('inputs.mjs', `export const train = () => [{ inputs: ${JSON.stringify(rows)} }];`);
    expect(await inputsOf(await open('inputs.mjs', [2]))).toEqual(rows);
    expect(await messageOf(open('inputs.mjs', [2], { labels: null }))).toContain('{ inputs, targets }');
  });

  it('come from images in one folder, and in folders of any names', async () => {
    const grey = (value: number) =>
      sharp(Uint8Array.of(value, value), { raw: { width: 2, height: 1, channels: 1 } })
        .png()
        .toBuffer();
    const images = await Promise.all(rows.map(([i]) => grey(i!)));
    const expected = rows.map(([i]) => [i, i]);
    images.forEach((image, i) => workspace.write(`loose/${i}.png`, image));
    expect(await messageOf(open('loose', [1, 2, 1], { labels: null }))).toContain('"labels": false');
    expect(await inputsOf(await open('loose', [1, 2, 1]))).toEqual(expected);
    images.forEach((image, i) => workspace.write(`deep/${i < 15 ? 'train' : 'test'}/of ${i % 2}/${i}.png`, image));
    const deep = await open('deep', [1, 2, 1]);
    expect(await inputsOf(deep)).toEqual(expected);
    expect(deep.test.size).toBe(5);
    expect(describeData(deep)).toBe('15 + 5 images, inputs of 1 x 2 x 1, no labels');
  });
});

describe('the scale of inputs without labels', () => {
  it('is the default of their range, with a note that nothing confirms it', async () => {
    workspace.write('bytes.csv', rows.map((row) => row.join(',')).join('\n'));
    const { notes } = await open('bytes.csv', [2], { scale: 'auto' });
    expect(notes.at(-1)).toMatch(/^Inputs are scaled by default: .*without labels nothing shows .*"preprocess"/);
  });
});
