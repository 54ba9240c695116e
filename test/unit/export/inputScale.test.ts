/** Exports that apply the scale themselves: by other readers, their outputs on stored data are the model's on scaled data. */
import * as ort from 'onnxruntime-node';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { exportModel, findFormat } from '../../../daemon/export/exportModel.js';
import { readScaleFile } from '../../../daemon/export/scaleFile.js';
import { createRandom } from '../../../daemon/lc/random.js';
import type { InputScale } from '../../../daemon/model/setup/inputScale.js';
import { modelGraph } from '../../../daemon/model/layers/layerGraph.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { checkKeras, checkKerasH5 } from '../keras3/checker.js';
import { loadPlain, tf } from '../model/tfjs.js';
import { builtModel } from './builtModel.js';
import { expectSame } from './expectSame.js';

const folder = await mkdtemp(join(tmpdir(), 'lc scale '));
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

const layer = (class_name: string, config: Record<string, unknown>, ...inputs: string[]) => ({
  class_name,
  name: config.name,
  config,
  inbound_nodes: inputs.length > 0 ? [inputs.map((input) => [input, 0, 0, {}])] : [],
});

const image = builtModel({
  class_name: 'Sequential',
  config: {
    name: 'image',
    layers: [
      { class_name: 'Conv2D', config: { name: 'conv', batch_input_shape: [null, 6, 6, 3], filters: 4, kernel_size: [3, 3], strides: [1, 1], padding: 'same', activation: 'relu', use_bias: true } },
      { class_name: 'Flatten', config: { name: 'flat' } },
      { class_name: 'Dense', config: { name: 'out', units: 3, activation: 'linear', use_bias: true } },
    ],
  },
}); // prettier-ignore

/** The name that a Sequential gives its input. */
const input = modelGraph(image.topology).inputNames[0]!;

const table = builtModel({
  class_name: 'Functional',
  config: {
    name: 'table',
    layers: [
      layer('InputLayer', { name: 'a', batch_input_shape: [null, 5], dtype: 'float32', sparse: false }),
      layer('InputLayer', { name: 'b', batch_input_shape: [null, 4], dtype: 'float32', sparse: false }),
      layer('Dense', { name: 'left', units: 6, activation: 'relu', use_bias: true }, 'a'),
      layer('Concatenate', { name: 'both', axis: -1 }, 'left', 'b'),
      layer('Dense', { name: 'out', units: 2, activation: 'linear', use_bias: true }, 'both'),
    ],
    input_layers: [['a', 0, 0], ['b', 0, 0]],
    output_layers: [['out', 0, 0]],
  },
}); // prettier-ignore

const random = createRandom(4);
const numbers = (size: number, draw: () => number) => Array.from({ length: size }, draw);
const positive = (size: number) => numbers(size, () => 0.1 + random.next());
const channels = [0.5, 0.25, 2];

const CASES: readonly [string, LayersModel, readonly InputScale[]][] = [
  ['x/255', image, [{ name: input, read: 'x/255', scale: 1 / 255, shift: 0 }]],
  ['x/127.5 - 1', image, [{ name: input, read: 'x/127.5 - 1', scale: 1 / 127.5, shift: -1 }]],
  ['by channel', image, [{ name: input, read: 'z', scale: numbers(108, () => 0).map((_, i) => channels[i % 3]! / 100), shift: numbers(108, () => 0).map((_, i) => -channels[i % 3]!) }]],
  ['by pixel', image, [{ name: input, read: 'mean', scale: 1 / 255, shift: positive(108).map((x) => -x) }]],
  ['one of two inputs by feature', table, [{ name: 'a', read: 'z', scale: positive(5), shift: positive(5) }]],
  ['two inputs, each its own', table, [{ name: 'a', read: 'z', scale: positive(5), shift: positive(5) }, { name: 'b', read: 'x/255', scale: 1 / 255, shift: 0 }]],
]; // prettier-ignore

const COUNT = 4;
interface Given {
  readonly name: string;
  readonly shape: readonly number[];
  readonly stored: Float32Array;
  readonly scaled: Float32Array;
}

function givenTo(model: LayersModel, scales: readonly InputScale[]): Given[] {
  const graph = modelGraph(model.topology);
  return graph.inputNames.map((name, i) => {
    const shape = graph.inputShapes[i] as number[];
    const size = shape.reduce((product, n) => product * n, 1);
    const stored = Float32Array.from({ length: COUNT * size }, () => random.below(256));
    const { scale, shift } = scales.find((one) => one.name === name) ?? { scale: 1, shift: 0 };
    const at = (of: number | readonly number[], k: number) => (typeof of === 'number' ? of : of[k % size]!);
    return { name, shape, stored, scaled: stored.map((x, k) => x * at(scale, k) + at(shift, k)) };
  });
}

async function byTensorFlow(path: string, inputs: readonly { shape: readonly number[]; values: Float32Array }[]) {
  const layers = await loadPlain(path);
  const tensors = inputs.map(({ shape, values }) => tf.tensor(values, [COUNT, ...shape]));
  const output = layers.predict(tensors.length === 1 ? tensors[0]! : tensors) as tf.Tensor;
  const result = Float32Array.from(output.dataSync());
  layers.dispose();
  return result;
}

it.each(CASES)('%s: on data as stored, by the readers of every format', async (name, model, scales) => {
  const given = givenTo(model, scales);
  const there = (file: string) => join(folder, `${name.replaceAll('/', ' ')} ${file}`);
  const write = (id: string, file: string, inside: boolean) =>
    exportModel(model, findFormat(id), there(file), { scales, inside });
  const stored = given.map(({ shape, stored: values }) => ({ shape, values }));
  const plain = await write('tfjs-layers', 'plain.json', false);
  const wanted = await byTensorFlow(plain.path, given.map(({ shape, scaled: values }) => ({ shape, values }))); // prettier-ignore
  // Without it the outputs differ, and a file beside the model describes the scale.
  expect(Math.max(...(await byTensorFlow(plain.path, stored)).map((x, i) => Math.abs(x - wanted[i]!)))).toBeGreaterThan(1e-3); // prettier-ignore
  expect(await readScaleFile(plain.path)).toEqual(scales);
  expect(plain.scaleFile).toBe(there('plain.inputs.json'));

  const tfjs = await write('tfjs-layers', 'm.json', true);
  expect(tfjs.scaleFile).toBeUndefined();
  expect(await readScaleFile(tfjs.path)).toEqual([]);
  expectSame(await byTensorFlow(tfjs.path, stored), wanted, 'tfjs', 1e-4);

  const onnx = await write('onnx', 'm.onnx', true);
  const session = await ort.InferenceSession.create(onnx.path, { intraOpNumThreads: 1 });
  const feeds = given.map((one, i) => [session.inputNames[i]!, new ort.Tensor('float32', one.stored, [COUNT, ...one.shape])]); // prettier-ignore
  const result = (await session.run(Object.fromEntries(feeds) as Record<string, ort.Tensor>))[session.outputNames[0]!]!;
  expectSame(result.data as Float32Array, wanted, 'onnx', 1e-4);
  await session.release();

  for (const [id, file, check] of [['keras', 'm.keras', checkKeras], ['keras-h5', 'm.h5', checkKerasH5]] as const) {
    const { path } = await write(id, file, true);
    await check(path);
    const again = await exportModel(await readLayers(path, { workspace: folder }), findFormat('tfjs-layers'), there(`${id}.json`)); // prettier-ignore
    expectSame(await byTensorFlow(again.path, stored), wanted, id, 1e-4);
  }
}); // prettier-ignore

it('weights alone hold no scale; the file beside goes when it is not true any more', async () => {
  const [, model, scales] = CASES[0]!;
  const target = join(folder, 'weights.safetensors');
  await expect(exportModel(model, findFormat('safetensors'), target, { scales, inside: true })).rejects.toThrow(
    /weights alone/,
  );
  expect((await readdir(folder)).some((file) => file.startsWith('weights'))).toBe(false);
  const { scaleFile } = await exportModel(model, findFormat('safetensors'), target, { scales, inside: false });
  expect(JSON.parse(await readFile(scaleFile!, 'utf8'))).toMatchObject({ inputs: scales });
  await exportModel(model, findFormat('safetensors'), target);
  expect(await readdir(folder)).not.toContain('weights.inputs.json');
});
