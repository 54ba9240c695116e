/** Models of Keras with several heads, frozen layers and settings of their loss: evaluated and pruned as Keras would. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floats, npzFile } from '../../daemon/export/npyFile.js';
import { readLayers } from '../fixtures/readLayers.js';
import { trainingSetup } from '../../daemon/model/setup/trainingSetup.js';
import { openDataset } from '../../daemon/data/openDataset.js';
import { nativeProvider } from '../../daemon/engine/native/provider.js';
import { sampleSource } from '../../daemon/data/batches/sampleSource.js';
import { resolveData } from '../../daemon/plan/resolveData.js';
import { lcPrune } from '../fixtures/cli.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lcprune-heads-'));
  await cp('test/fixtures/keras', folder, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

const expectedOf = async (name: string) =>
  JSON.parse(await readFile(join(folder, name, 'expected.json'), 'utf8')) as Record<string, number>;

async function evaluate(cwd: string, data: string, more: readonly string[] = []) {
  const args = ['evaluate', more.includes('model.h5') ? 'model.h5' : 'model.keras', '--data', data, '--scale', 'none', '--engine', 'native-cpu', '--json'];
  const { code, lines, stderr } = await lcPrune([...args, ...more.filter((one) => one !== 'model.h5')], { cwd: join(folder, cwd) });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return lines.at(-1) as { loss: number; error: number; absoluteError?: number; samples: number };
} // prettier-ignore

const plan = (more: object) => ({
  model: 'model.keras',
  data: { source: 'data.npz', preprocess: { scale: 'none' } },
  budget: { keep: '50%' },
  schedule: { iterations: 2, epochs: 1 },
  training: { learningRate: 0.01, batchSize: 32 },
  retrain: { epochs: 1, learningRate: 0.01 },
  engine: 'native-cpu',
  ...more,
});

interface Done {
  prunable: number;
  perLayer: { layer: string; kept: number }[];
  budget: object[];
  others?: { output: string; moved: number; before?: Measured; after?: Measured }[];
}
interface Measured {
  loss: number;
  error: number;
}

/** A run of a plan: its last event, its notes, and the models before and after it. */
async function run(cwd: string, name: string, more: object) {
  const home = join(folder, cwd);
  await writeFile(join(home, `${name}.prune.json`), JSON.stringify(plan(more)));
  const { code, lines, stderr } = await lcPrune(['run', `${name}.prune.json`, '--json'], { cwd: home });
  // 3: so short a run may end with a network that is of no use yet.
  expect([0, 3], stderr).toContain(code);
  const done = lines.findLast(({ event }) => event === 'done') as unknown as Done & { folder: string };
  const said = lines.flatMap(({ event, message }) => (event === 'warning' ? [String(message)] : []));
  const [before, after] = await Promise.all([
    readLayers('model.keras', { workspace: home }),
    readLayers(join(done.folder, 'result', 'model.json'), { workspace: home }),
  ]);
  const same = (weight: string) => {
    const [a, b] = [before, after].map(({ weights }) => weights.find((one) => one.name === weight)!.data);
    return a!.every((x, i) => x === b![i]);
  };
  return { done, said, before, after, same };
}

describe('the loss and the error that Keras has', () => {
  it.each([
    ['label-smoothing', 'model.keras'],
    ['label-smoothing', 'model.h5'],
    ['frozen-bn-shift', 'model.keras'],
    ['transfer-frozen', 'model.keras'],
    ['seq-mask-gap', 'model.keras'],
    ['seq-mask-lstm', 'model.keras'],
    ['func-mask-avg', 'model.keras'],
  ])('%s, %s', async (name, file) => {
    const { loss, accuracy } = await expectedOf(name);
    const told = await evaluate(name, 'data.npz', file === 'model.h5' ? [file] : []);
    expect(told.loss).toBeCloseTo(loss!, 5);
    expect(told.error).toBeCloseTo(1 - accuracy!, 6);
  });

  it('a layers-model whose mask TensorFlow.js would not follow is not written', async () => {
    const args = ['export', 'model.keras', '--format', 'tfjs-layers', '--out', 'other.json'];
    const { code, stderr } = await lcPrune(args, { cwd: join(folder, 'seq-mask-gap') });
    expect(code).toBe(2);
    expect(stderr).toContain('from layer "global_average_pooling1d" (GlobalAveragePooling1D) on');
    expect((await lcPrune(args, { cwd: join(folder, 'func-mask-avg') })).code).toBe(0);
  });

  it('gan-generator, a regression of images', async () => {
    const { loss } = await expectedOf('gan-generator');
    expect((await evaluate('gan-generator', 'data.npz')).loss).toBeCloseTo(loss!, 6);
  });

  it('other-head: each output by its own data, loss and metrics', async () => {
    const expected = await expectedOf('other-head');
    const cls = await evaluate('other-head', 'cls.npz', ['--output', 'cls']);
    const reg = await evaluate('other-head', 'reg.npz', ['--output', 'reg']);
    expect(cls.error).toBeCloseTo(1 - expected['cls_accuracy']!, 6);
    expect(cls.loss + reg.loss).toBeCloseTo(expected['loss']!, 5);
    expect(reg.absoluteError).toBeDefined();
  });

  it('multi-output: the loss of one output, batch by batch as Keras reports it', async () => {
    const model = await readLayers('model.keras', { workspace: join(folder, 'multi-output') });
    const setup = trainingSetup(model, 'cls');
    const data = resolveData({ source: 'data.npz', preprocess: { scale: 'none' } }, (path) => path);
    const { test } = await openDataset(data, setup, { workspace: join(folder, 'multi-output'), seed: 0 });
    const session = await nativeProvider.open(model, { ...setup, batchSize: 32, purpose: 'inference', seed: 0, output: 'cls' });
    const all = sampleSource(test);
    const part = (from: number, size: number) => ({ size, read: (start: number, n: number, inputs: readonly Float32Array[], target: Float32Array) => all.read(from + start, n, inputs, target) });
    const means = [];
    for (let from = 0; from < 100; from += 32) means.push((await session.evaluate(part(from, Math.min(32, 100 - from)))).loss);
    const { cls_loss, cls_accuracy } = await expectedOf('multi-output');
    expect(means.reduce((a, b) => a + b) / means.length).toBeCloseTo(cls_loss!, 5);
    expect((await session.evaluate(all)).error).toBeCloseTo(1 - cls_accuracy!, 6);
    await session.dispose();
    expect(trainingSetup(model, 'reg')).toMatchObject({ loss: 'meanSquaredError', classification: false });
  }); // prettier-ignore

  it("Huber's delta", async () => {
    const home = await mkdtemp(join(folder, 'huber-'));
    const topology = { class_name: 'Sequential', config: { name: 's', layers: [{ class_name: 'Dense', config: { name: 'd', units: 1, activation: 'linear', use_bias: false, batch_input_shape: [null, 1] } }] } };
    const json = {
      modelTopology: topology,
      trainingConfig: { loss: { class_name: 'Huber', config: { delta: 0.1, reduction: 'sum_over_batch_size', name: 'huber_loss' } }, metrics: ['mae'] },
      weightsManifest: [{ paths: ['w.bin'], weights: [{ name: 'd/kernel', shape: [1, 1], dtype: 'float32' }] }],
    };
    await writeFile(join(home, 'model.json'), JSON.stringify({ format: 'layers-model', ...json }));
    await writeFile(join(home, 'w.bin'), new Uint8Array(Float32Array.of(1).buffer));
    const x = Float32Array.of(0, 0.05, -0.3, 2, 5, -1, 0.1, 0.02);
    await writeFile(join(home, 'h.npz'), npzFile({ x: floats(x, [8, 1]), y: floats(new Float32Array(8), [8, 1]) }));
    const { code, lines } = await lcPrune(['evaluate', 'model.json', '--data', 'h.npz', '--scale', 'none', '--engine', 'native-cpu', '--json'], { cwd: home });
    expect(code).toBe(0);
    const huber = (e: number) => (e <= 0.1 ? 0.5 * e * e : 0.1 * e - 0.005);
    expect(lines.at(-1)!['loss']).toBeCloseTo([...x].reduce((sum, e) => sum + huber(Math.abs(e)), 0) / 8, 6);
  }); // prettier-ignore
});

describe('a generator', () => {
  it('loses units of its dense layer, through a reshape, and filters of its transposed convolution; a budget that no neuron can meet gives the reason', async () => {
    const training = { batchSize: 30, learningRate: 0.02 };
    const { done } = await run('gan-generator', 'filters', { budget: { neurons: '50%' }, training, retrain: { epochs: 1, ...training } });
    expect(done.budget).toMatchObject([{ kind: 'neurons', limit: 8, got: 8, met: true }]);
    expect(done.perLayer.map(({ layer }) => layer)).toEqual(['dense_5', 'conv2d_transpose', 'conv2d_transpose_1']);
    // Eight channels of 40 weights, then eight filters of 25 weights that the last layer reads: what goes takes along what reads it.
    const [dense, filters, last] = done.perLayer.map(({ kept }) => kept) as [number, number, number];
    expect(dense / 40 + last / 25).toBe(8);
    expect(filters).toBe((dense / 40) * last);
    const home = join(folder, 'gan-generator');
    await writeFile(join(home, 'none.prune.json'), JSON.stringify(plan({ budget: { flops: '50%', prune: 'neurons' }, exclude: ['dense_5', 'conv2d_transpose'], training })));
    const { code, stderr } = await lcPrune(['run', 'none.prune.json'], { cwd: home });
    expect(code).toBe(2);
    expect(stderr).toMatch(/no neuron or filter of these layers can be removed: each is an output of the model/);
    expect(stderr).not.toMatch(/infinity|∞/i);
  }); // prettier-ignore
});

describe('what is frozen', () => {
  it('is counted and named, is not pruned and does not move', async () => {
    const { lines } = await lcPrune(['inspect', 'model.keras', '--json'], { cwd: join(folder, 'transfer-frozen') });
    expect(lines.find(({ event }) => event === 'model')).toMatchObject({ prunable: 312, frozen: 288 });
    const { done, said, before, after, same } = await run('transfer-frozen', 'frozen', {});
    expect(done.prunable).toBe(24);
    expect(done.budget).toMatchObject([{ task: 'all but 288 frozen', kind: 'weights', limit: 12, got: 12, met: true }]);
    expect(said.join()).toMatch(/288 of 312 prunable weights are frozen in the file .*backbone\/conv2d_5, backbone\/depthwise_conv2d; "unfreeze": true/);
    for (const { name } of before.weights) if (!name.startsWith('dense')) expect([name, same(name)]).toEqual([name, true]);
    expect(same('dense_7/kernel')).toBe(false);
    // The file's own setting is kept: what was frozen is frozen in the result.
    expect(JSON.stringify(after.topology)).toContain('"trainable":false');
  }); // prettier-ignore

  it('keeps the moving averages of a frozen BatchNormalization, and a reference that is trained further improves', async () => {
    const { done, before, same } = await run('frozen-bn-shift', 'shift', { reference: { epochs: 2, learningRate: 0.003, batchSize: 32 } });
    for (const { name } of before.weights) if (!name.startsWith('head')) expect([name, same(name)]).toEqual([name, true]);
    expect(done.perLayer.map(({ layer }) => layer)).toEqual(['head']);
    const { reference } = done as unknown as { reference: Measured };
    expect(reference.loss).toBeLessThan(0.1249);
  }); // prettier-ignore

  it('is trained and pruned if the plan unfreezes it', async () => {
    const all = await run('frozen-bn-shift', 'all', { unfreeze: true });
    expect(all.done.prunable).toBe(3888);
    expect(all.said.join()).not.toMatch(/frozen/);
    expect(all.same('bn1/moving_variance')).toBe(false);
    const some = await run('frozen-bn-shift', 'some', { unfreeze: ['backbone/c*'] });
    expect(some.done.perLayer.map(({ layer }) => layer)).toEqual(['backbone/c1', 'backbone/c2', 'head']);
    expect([some.same('c1/kernel'), some.same('bn1/moving_variance'), some.same('bn1/gamma')]).toEqual([false, true, true]);
  }); // prettier-ignore
});

describe('what the trained output does not depend on', () => {
  it('is neither pruned nor trained, and its output is measured before and after', async () => {
    const cls = { output: 'cls', data: { source: 'cls.npz', preprocess: { scale: 'none' } } };
    const { done, said, same } = await run('other-head', 'cls', { ...cls, training: { learningRate: 0.02, batchSize: 32, weightDecay: 0.01 } });
    expect(done.perLayer.map(({ layer }) => layer)).toEqual(['dense', 'dense_1', 'cls']);
    expect([same('reg/kernel'), same('reg/bias'), same('dense/kernel')]).toEqual([true, true, false]);
    expect(said.join()).toMatch(/output "cls", which is trained, does not depend on reg/);
    expect(done.others).toMatchObject([{ output: 'reg' }]);
    expect(done.others![0]!.moved).toBeGreaterThan(0.01);
    expect(done.others![0]!.before).toBeUndefined();
    expect(said.join()).toMatch(/output "reg" shares layers with "cls" and was not trained: on 150 samples its mean \|change\| is .*% of its spread/);
  }); // prettier-ignore

  it('has its loss reported if the data has targets named after it', async () => {
    const home = join(folder, 'other-head');
    const arrays: Record<string, Uint8Array> = {};
    const { unzipSync, zipSync } = await import('fflate');
    for (const [file, rename] of [['cls.npz', 'y_cls_'], ['reg.npz', 'y_reg_']] as const)
      for (const [name, bytes] of Object.entries(unzipSync(await readFile(join(home, file))))) arrays[name.replace(/^y_/, rename)] = bytes;
    await writeFile(join(home, 'both.npz'), zipSync(arrays));
    const data = { source: 'both.npz', labels: 'y_cls_train', preprocess: { scale: 'none' } };
    const { done, said } = await run('other-head', 'both', { output: 'cls', otherOutputs: 'measure', data });
    const [other] = done.others!;
    const reg = await evaluate('other-head', 'reg.npz', ['--output', 'reg']);
    expect(other!.before!.loss).toBeCloseTo(reg.loss, 6);
    expect(other!.before!.error).toBeCloseTo(reg.error, 6);
    expect(other!.after!.loss).toBeGreaterThan(other!.before!.loss);
    expect(said.join()).toMatch(/"reg" shares layers with "cls" and was not trained: on 150 samples its loss went from 0\.0196\d* to /);
  }); // prettier-ignore
});
