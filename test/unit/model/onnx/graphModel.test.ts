/** ONNX files as models: the same questions, sessions and numbers as of layers. */
import { copyFile, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../../../daemon/engine/registry.js';
import type { EngineSession, SessionSpec } from '../../../../daemon/engine/engine.js';
import { openOnnx } from '../../../../daemon/export/runOnnx.js';
import { onnxFile } from '../../../../daemon/export/writeOnnx.js';
import { createRandom } from '../../../../daemon/lc/random.js';
import { readModel } from '../../../../daemon/model/files/readModel.js';
import { frontEndOf } from '../../../../daemon/model/frontEnds/frontEndOf.js';
import { writeGraph } from '../../../../daemon/model/graph/writeGraph.js';
import { trainedLayers } from '../../../../daemon/model/layers/trainedLayers.js';
import type { GraphModel, LayersModel, Model } from '../../../../daemon/model/model.js';
import { buildArchitecture } from '../../../../daemon/model/setup/architectures.js';
import { trainingSetup, type TrainingSetup } from '../../../../daemon/model/setup/trainingSetup.js';
import { summarizeModel } from '../../../../daemon/model/summarize.js';
import { hashModel, withWeights } from '../../../../daemon/model/weights.js';
import { sizeOf } from '../../../../daemon/protocol/shape.js';
import { python, pythonHas } from '../../../fixtures/debianPython.js';

const fixtures = resolve('test/fixtures/onnx');
let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lc-prune-graph-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function open(path: string): Promise<GraphModel> {
  const model = await readModel(path, { workspace: resolve(path, '..') });
  if (model.kind !== 'graph') throw new Error(`${path} is no graph`);
  return model;
}

async function exported(model: LayersModel, name: string): Promise<GraphModel> {
  const path = join(folder, `${name}.onnx`);
  await writeFile(path, await onnxFile(model));
  return open(path);
}

const random = (size: number, seed = 1) => {
  const from = createRandom(seed);
  return Float32Array.from({ length: size }, () => from.normal());
};

const SPEC: SessionSpec = { loss: 'categoricalCrossentropy', batchSize: 16, seed: 1, threads: 1 };

async function using<T>(
  model: Model,
  engine: string,
  body: (session: EngineSession) => Promise<T>,
  spec: SessionSpec = SPEC,
): Promise<T> {
  const session = await openEngine(engine, model, spec);
  try {
    return await body(session);
  } finally {
    await session.dispose();
  }
}

/** Loss and gradient of one batch, by weight. */
const step = (model: Model, engine: string, inputSize: number) =>
  using(model, engine, async (session) => {
    const target = Float32Array.from({ length: 160 }, (_, i) => Number(i % 10 === Math.floor(i / 10) % 10));
    const { loss, gradient } = await session.gradient([random(16 * inputSize)], target);
    const byName = session.parameters.map(({ name, offset, size }) => [name, gradient.slice(offset, offset + size)] as const);
    return { loss, gradients: new Map(byName), names: session.parameters.map(({ name }) => name) };
  }); // prettier-ignore

describe('a network as layers and as ONNX', () => {
  it.each(['lenet300', 'lenet5'] as const)('%s has the same table, weights and training setup', async (name) => {
    const layers = buildArchitecture(name, 3);
    const graph = await exported(layers, name);
    const table = (model: Model) =>
      summarizeModel(model)
        .filter(({ params }) => params > 0)
        .map(({ name, outputShape, params, prunable, flops, flopsPerWeight, weights }) => ({ name, outputShape, params, prunable, flops, flopsPerWeight, weights: weights.map(({ name, shape, size, prunable, trainable }) => ({ name, size, prunable, trainable, ...(prunable && { shape }) })) })); // prettier-ignore
    expect(table(graph)).toEqual(table(layers));
    const values = (model: Model) => new Map(model.weights.map(({ name, data }) => [name, data]));
    expect(values(graph)).toEqual(values(layers));
    const asked = ({ loss, lossSettings, classification, inputShapes, outputShape, fromLogits, mayBeLogits, asStored }: TrainingSetup) => ({ loss, lossSettings, classification, inputShapes, outputShape, fromLogits, mayBeLogits, asStored });
    expect(asked(trainingSetup(graph))).toEqual(asked(trainingSetup(layers)));
    expect(trainingSetup(graph).notes.join()).toMatch(/does not say its loss: of output "[^"]+", a softmax, it is the cross-entropy of classes/);
  }); // prettier-ignore

  it('LeNet300 takes the same training step, to the last bit', async () => {
    const layers = buildArchitecture('lenet300', 3);
    const graph = await exported(layers, 'step');
    for (const engine of ['native-cpu', 'onnx-cpu'])
      expect(await step(graph, engine, 784), engine).toEqual(await step(layers, engine, 784));
  });

  it('LeNet5 takes the same training step', async () => {
    const layers = buildArchitecture('lenet5', 3);
    const [ofGraph, ofLayers] = [await step(await exported(layers, 'step5'), 'onnx-cpu', 784), await step(layers, 'onnx-cpu', 784)]; // prettier-ignore
    expect(ofGraph.names).toEqual(ofLayers.names);
    expect(ofGraph.loss).toBeCloseTo(ofLayers.loss, 6);
    for (const [name, gradient] of ofLayers.gradients) {
      const other = ofGraph.gradients.get(name)!;
      const largest = (values: Float32Array) => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      expect(largest(gradient.map((x, i) => x - other[i]!)), name).toBeLessThan(2e-6 * largest(gradient));
    }
  });

  it('weights of layers that a plan does not train are states', async () => {
    const graph = await exported(buildArchitecture('lenet300', 3), 'frozen');
    const frozen = summarizeModel(graph).map((layer) => (layer.name === 'fc1' ? { ...layer, weights: layer.weights.map((weight) => ({ ...weight, trainable: false })) } : layer)); // prettier-ignore
    const { names } = await step(frontEndOf(graph).withTrainedLayers(frozen), 'onnx-cpu', 784);
    expect(names).toEqual(['fc2/kernel', 'fc3/kernel', 'fc2/bias', 'fc3/bias']);
    const all = trainedLayers(summarizeModel(graph), { output: null, unfreeze: [] });
    expect(frontEndOf(graph).withTrainedLayers(all)).toBe(graph);
  });

  it('engines of TensorFlow.js refuse it, with the way out', async () => {
    const graph = await exported(buildArchitecture('lenet300', 3), 'direct');
    await expect(openEngine('tfjs-cpu', graph, SPEC)).rejects.toThrow(/TensorFlow\.js computes layers, not the operations of .*; native-cpu and onnx-cpu do, on platforms that have them/); // prettier-ignore
  });
});

describe('files of PyTorch', () => {
  const predictsAlike = async (path: string) => {
    const model = await open(path);
    const shapes = frontEndOf(model).inputs().map(({ shape }) => shape as number[]);
    const inputs = shapes.map((shape, i) => random(5 * sizeOf(shape), i + 2));
    const found = await using(model, 'onnx-cpu', (session) => session.predict(inputs, 5), { ...SPEC, loss: 'meanSquaredError', batchSize: 5, purpose: 'inference' });
    const oracle = await openOnnx(model.path, model, shapes, 0);
    const expected = await oracle.run(inputs, 5);
    await oracle.release();
    expect(found.length).toBe(expected.length);
    const scale = Math.max(...expected.map(Math.abs));
    found.forEach((x, i) => expect(Math.abs(x - expected[i]!)).toBeLessThan(1e-5 * scale));
  }; // prettier-ignore

  it.each(['cnn-folded', 'cnn-opset9', 'cnn-training', 'attention', 'external'])('%s: a session predicts what onnxruntime does with the file', (name) => predictsAlike(join(fixtures, `${name}.onnx`))); // prettier-ignore

  it.runIf(pythonHas('onnx'))('for training, with weights in another file: the same', async () => {
    const beside = await realpath(await mkdtemp(join(folder, 'beside-')));
    const target = join(beside, 'training.onnx');
    python(
      'import onnx, sys; onnx.save(onnx.load(sys.argv[1]), sys.argv[2], save_as_external_data=True, location="weights.data", size_threshold=0); print(0)',
      [join(fixtures, 'cnn-training.onnx'), target],
    );
    await predictsAlike(target);
    expect((await readdir(beside)).sort()).toEqual(['training.onnx', 'weights.data']);
  });

  it('report what the export did to BatchNormalization, and train its averages as states', async () => {
    const training = await open(join(fixtures, 'cnn-training.onnx'));
    expect(training.notes.join()).toMatch(/2 BatchNormalizations present: trained with the network/);
    const statistics = summarizeModel(training).flatMap(({ weights }) => weights.filter(({ statistic }) => statistic)).map(({ name }) => name); // prettier-ignore
    expect(statistics.filter((name) => /running_(mean|var)$/.test(name))).toHaveLength(4);
    expect(training.notes.join()).toMatch(/the file is in training mode.*export that in evaluation mode/);
    expect((await open(join(fixtures, 'cnn-folded.onnx'))).notes.join()).not.toContain('the file is in training mode');
    expect((await open(join(fixtures, 'cnn-folded.onnx'))).notes.join()).toMatch(/folded.*TrainingMode\.TRAINING/);
  });

  it('of half precision are widened, with a note, and written back in theirs', async () => {
    const model = await open(join(fixtures, 'half.onnx'));
    expect(model.notes.join()).toContain('float16');
    const path = join(folder, 'half.onnx');
    const doubled = new Map(model.weights.map(({ name, data }) => [name, data.map((x) => 2 * x)]));
    await writeGraph(withWeights(model, doubled), path);
    const written = await open(path);
    for (const { name, data } of written.weights) expect(data).toEqual(doubled.get(name));
    for (const [name, { type }] of written.file.model.graph.initializers)
      expect(type).toBe(model.file.model.graph.initializers.get(name)!.type);
  });
});

describe('writing back', () => {
  it('gives the same bytes for the same weights, and for others the same file but for these', async () => {
    const source = join(fixtures, 'cnn-training.onnx');
    const model = await open(source);
    const same = join(folder, 'same.onnx');
    await writeGraph(model, same);
    expect(await readFile(same)).toEqual(await readFile(source));
    const [kernel] = model.weights.filter(({ shape }) => shape.length === 4);
    const values = kernel!.data.map((x, i) => (i % 3 === 0 ? 0 : x));
    const changed = join(folder, 'changed.onnx');
    await writeGraph(withWeights(model, new Map([[kernel!.name, values]])), changed);
    const written = await open(changed);
    expect(written.weights.find(({ name }) => name === kernel!.name)!.data).toEqual(values);
    const others = (of: GraphModel) => of.weights.filter(({ name }) => name !== kernel!.name);
    expect(others(written)).toEqual(others(model));
    const [before, after] = [await readFile(source), await readFile(changed)];
    expect(after.length).toBe(before.length);
    const differing = before.filter((byte, i) => byte !== after[i]).length;
    expect(differing).toBeLessThanOrEqual(4 * Math.ceil(values.length / 3));
  });

  it('weights in files beside the model go into files beside the new one', async () => {
    for (const name of ['external.onnx', 'external.onnx.data'])
      await copyFile(join(fixtures, name), join(folder, name));
    const model = await open(join(folder, 'external.onnx'));
    const halved = new Map(model.weights.map(({ name, data }) => [name, data.map((x) => x / 2)]));
    await writeGraph(withWeights(model, halved), join(folder, 'halved.onnx'));
    expect((await open(join(folder, 'external.onnx'))).weights).toEqual(model.weights);
    for (const { name, data } of (await open(join(folder, 'halved.onnx'))).weights) expect(data).toEqual(halved.get(name)); // prettier-ignore
  });

  it('the hash is of what it computes and of its weights, not of its path', async () => {
    const source = join(fixtures, 'cnn-training.onnx');
    const copy = join(folder, 'copy.onnx');
    await copyFile(source, copy);
    const model = await open(source);
    expect(hashModel(await open(copy))).toBe(hashModel(model));
    const [first] = model.weights;
    expect(hashModel(withWeights(model, new Map([[first!.name, first!.data.map((x) => x + 1)]])))).not.toBe(hashModel(model));
    expect(hashModel(await open(join(fixtures, 'cnn-folded.onnx')))).not.toBe(hashModel(model));
  }); // prettier-ignore
});
