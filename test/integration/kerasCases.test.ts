/** Models of Keras that once gave wrong answers or crashed: evaluated with defaults to what Keras itself reported. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nativeProvider } from '../../daemon/engine/native/provider.js';
import { openDataset } from '../../daemon/data/openDataset.js';
import { sampleSource } from '../../daemon/data/batches/sampleSource.js';
import { readModel } from '../../daemon/model/files/readModel.js';
import { trainingSetup } from '../../daemon/model/setup/trainingSetup.js';
import { resolveData } from '../../daemon/plan/resolveData.js';
import { lcPrune } from '../fixtures/cli.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lcprune-cases-'));
  await cp('test/fixtures/keras', folder, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

it.each([
  'bilinear',
  'convlstm',
  'embed-text',
  'func-mask-avg',
  'gru-default',
  'residual-bn',
  'seq-mask-gap',
  'seq-mask-lstm',
  'tcn-causal',
])('%s, with defaults', async (name) => {
  const cwd = join(folder, name);
  const keras = JSON.parse(await readFile(join(cwd, 'expected.json'), 'utf8')) as { loss: number; accuracy: number };
  const { code, lines, stderr } = await lcPrune(['evaluate', 'model.keras', '--data', 'data.npz', '--json'], { cwd });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { loss, error } = lines.at(-1) as { loss: number; error: number };
  expect(loss).toBeCloseTo(keras.loss, 5);
  expect(error).toBeCloseTo(1 - keras.accuracy, 6);
});

it('normalization: adapted statistics, on the data as stored', async () => {
  const cwd = join(folder, 'normalization');
  const keras = JSON.parse(await readFile(join(cwd, 'expected.json'), 'utf8')) as { loss: number };
  const { code, lines, stderr } = await lcPrune(['evaluate', 'model.keras', '--data', 'data.npz', '--json'], { cwd });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toContain('taken as stored, because of the layer "normalization" (Normalization)');
  expect((lines.at(-1) as { loss: number }).loss).toBeCloseTo(keras.loss, 5);
}); // prettier-ignore

it('shared-order: layers called in another order than they stand in the file', async () => {
  const workspace = join(folder, 'shared-order');
  const model = await readModel('model.keras', { workspace });
  const setup = trainingSetup(model);
  const source = { source: 'data.npz', inputs: ['a_train', 'b_train'], labels: 'y_train', preprocess: { scale: 'none' as const } };
  const { test } = await openDataset(resolveData(source, (path) => path), setup, { workspace, seed: 0 });
  const session = await nativeProvider.open(model, { ...setup, batchSize: 32, purpose: 'inference', seed: 0 });
  // The targets are the outputs of Keras.
  expect((await session.evaluate(sampleSource(test))).loss).toBeLessThan(1e-9);
  await session.dispose();
}); // prettier-ignore

it('shared-nested: layers and models shared at several depths are read and built', async () => {
  const names = (await readdir(join(folder, 'shared-nested'))).sort();
  expect(names).toHaveLength(6);
  for (const name of names) {
    const model = await readModel(name, { workspace: join(folder, 'shared-nested') });
    const setup = trainingSetup(model);
    const session = await nativeProvider.open(model, { ...setup, batchSize: 2, purpose: 'inference', seed: 0 });
    const inputs = session.inputShapes.map((shape) => new Float32Array(2 * shape.reduce((a, b) => a * b, 1)).fill(0.5));
    expect([...(await session.predict(inputs, 2))].every(Number.isFinite), name).toBe(true);
    await session.dispose();
  }
}); // prettier-ignore

it('conv1d-maxpool1d: runs, on every engine that crashed or did not', async () => {
  for (const engine of ['native-cpu', 'onnx-cpu']) {
    const { code, lines, stderr } = await lcPrune(['run', 'p.prune.json', '--engine', engine, '--json'], { cwd: join(folder, 'conv1d-maxpool1d') });
    expect([0, 3], stderr).toContain(code);
    expect(lines.findLast(({ event }) => event === 'done')).toBeDefined();
  }
}); // prettier-ignore

it.each([
  ['normalization', { neurons: '50%' }],
  ['tcn-causal', { neurons: '50%' }],
  ['gru-default', { keep: '50%' }],
  ['gru-default', { neurons: '50%' }],
  ['seq-mask-lstm', { neurons: '50%' }],
])('%s: runs to a budget of %o', async (name, budget) => {
  const cwd = join(folder, name);
  await writeFile(join(cwd, 'p.prune.json'), JSON.stringify({ model: 'model.keras', data: 'data.npz', budget, engine: 'native-cpu' }));
  const { code, lines, stderr } = await lcPrune(['run', 'p.prune.json', '--json'], { cwd });
  expect([0, 3], stderr).toContain(code);
  const done = lines.findLast(({ event }) => event === 'done') as { folder: string; kept: number; prunable: number; budget: { met: boolean }[] };
  expect(done.budget.map(({ met }) => met)).toEqual([true]);
  expect(done.kept).toBeLessThan(done.prunable);
  const weightsOf = async (path: string, workspace: string) => (await readModel(path, { workspace })).weights.filter(({ name: own }) => /\/(mean|variance|count)$/.test(own));
  expect(await weightsOf('result/model.json', done.folder)).toEqual(await weightsOf('model.keras', cwd));
}); // prettier-ignore
