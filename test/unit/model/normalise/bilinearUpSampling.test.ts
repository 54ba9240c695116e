/** Bilinear upsampling between centres (Keras) and between corners (TensorFlow.js): read, exported, read again. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeProvider } from '../../../../daemon/engine/native/provider.js';
import type { LayersModel, Topology } from '../../../../daemon/model/model.js';
import { normaliseTopology } from '../../../../daemon/model/normalise/normalise.js';
import { readLayers } from '../../../fixtures/readLayers.js';
import { writeKeras, writeKerasH5 } from '../../../../daemon/model/files/writeKeras.js';
import { writeTfjsModel } from '../../../../daemon/model/files/writeTfjs.js';

let workspace: string;
beforeAll(async () => (workspace = await mkdtemp(join(tmpdir(), 'lcprune-bilinear-'))));
afterAll(() => rm(workspace, { recursive: true, force: true, maxRetries: 10 }));

const up = (size: readonly number[], more: object = {}) => ({
  class_name: 'UpSampling2D',
  config: { name: 'up', size, interpolation: 'bilinear', data_format: 'channels_last', ...more },
});
const sequential = (...layers: object[]) => ({ class_name: 'Sequential', config: { name: 'net', layers } });
const first = (shape: readonly number[]) => ({ batch_input_shape: [null, ...shape] });

/** Called twice, once behind itself, and read by two layers. */
const shared = {
  class_name: 'Functional',
  config: {
    name: 'net',
    layers: [
      { class_name: 'InputLayer', name: 'in', config: { name: 'in', ...first([2, 3, 1]) }, inbound_nodes: [] },
      { ...up([2, 3]), name: 'up', inbound_nodes: [[['in', 0, 0, {}]], [['up', 0, 0, {}]]] },
      { class_name: 'GlobalAveragePooling2D', name: 'mean', config: { name: 'mean' }, inbound_nodes: [[['up', 0, 0, {}]]] }, // prettier-ignore
      { class_name: 'GlobalMaxPooling2D', name: 'max', config: { name: 'max' }, inbound_nodes: [[['up', 1, 0, {}]]] },
      { class_name: 'Add', name: 'sum', config: { name: 'sum' }, inbound_nodes: [[['mean', 0, 0, {}], ['max', 0, 0, {}]]] }, // prettier-ignore
    ],
    input_layers: [['in', 0, 0]],
    output_layers: [['sum', 0, 0]],
  },
};
const timed = sequential({
  class_name: 'TimeDistributed',
  config: { name: 'steps', layer: up([2, 2]), ...first([2, 3, 2, 1]) },
});

const modelOf = (raw: object, keras: boolean): LayersModel => ({
  kind: 'layers',
  format: keras ? 'keras-v3' : 'tfjs-layers',
  path: join(workspace, 'net'),
  topology: normaliseTopology(raw, 'net', keras).topology,
  weights: [],
  notes: [],
});

async function outputs(model: LayersModel): Promise<number[]> {
  const session = await nativeProvider.open(model, { loss: 'meanSquaredError', batchSize: 2, seed: 0, purpose: 'inference' }); // prettier-ignore
  const inputs = session.inputShapes.map((shape) =>
    Float32Array.from({ length: 2 * shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(3 * i + 1)),
  );
  const found = await session.predict(inputs, 2);
  await session.dispose();
  return [...found];
}

const close = (found: readonly number[], expected: readonly number[]) => {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
};

const layersIn = (topology: Topology) =>
  [...JSON.stringify(topology).matchAll(/"class_name":"(\w+)"/g)].map(([, name]) => name);

describe('between centres, as Keras', () => {
  it.each([
    ['a chain', sequential(up([2, 3], first([3, 2, 2])))],
    ['a shared layer', shared],
    ['a layer of steps', timed],
  ])('%s goes through a TensorFlow.js file and comes back the same network', async (_name, raw) => {
    const model = modelOf(raw, true);
    const path = join(workspace, 'centres.json');
    await writeTfjsModel(model, path);
    const file = JSON.parse(await readFile(path, 'utf8')) as { modelTopology: Topology };
    expect(layersIn(file.modelTopology)).toContain('AveragePooling2D');
    expect(JSON.stringify(file)).not.toMatch(/bilinear|half_pixel/);
    const back = await readLayers(path, { workspace });
    expect(layersIn(back.topology)).toEqual(layersIn(model.topology));
    close(await outputs(back), await outputs(model));
    // The file holds the same function: the two layers that another program computes.
    await writeFile(path, JSON.stringify(file).replaceAll('up_nearest', 'fine').replaceAll('steps_nearest', 'fine'));
    const plain = await readLayers(path, { workspace });
    expect(layersIn(plain.topology)).toContain('AveragePooling2D');
    close(await outputs(plain), await outputs(model));
  });

  it('is written to a Keras file unchanged', async () => {
    const model = modelOf(shared, true);
    const path = join(workspace, 'centres.h5');
    await writeKerasH5(model, path);
    const back = await readLayers(path, { workspace });
    expect(layersIn(back.topology)).toEqual(layersIn(model.topology));
    close(await outputs(back), await outputs(model));
  });
});

describe('between corners, as TensorFlow.js', () => {
  it('stays what TensorFlow.js computes', async () => {
    const found = await outputs(modelOf(sequential(up([2, 1], first([2, 1, 1]))), false));
    const [a, b] = [Math.sin(1), Math.sin(4)];
    close(found.slice(0, 4), [a, (a + b) / 2, b, b]);
    const centres = await outputs(modelOf(sequential(up([2, 1], first([2, 1, 1]))), true));
    close(centres.slice(0, 4), [a, 0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b, b]);
  });

  it.each([
    ['by 2', sequential(up([2, 2], first([3, 2, 2])))],
    ['by 4 and 2', sequential(up([4, 2], first([3, 2, 2])))],
    ['in steps', timed],
  ])('%s goes into a Keras file as layers that Keras computes alike', async (_name, raw) => {
    const model = modelOf(raw, false);
    const path = join(workspace, 'corners.h5');
    await writeKerasH5(model, path);
    close(await outputs(await readLayers(path, { workspace })), await outputs(model));
  });

  it('by 3 is refused for Keras, naming the layer', async () => {
    const model = modelOf(sequential(up([3, 2], first([3, 2, 2]))), false);
    await expect(writeKeras(model, join(workspace, 'corners.keras'))).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringContaining('layer "up" interpolates between the corners of pixels') as string,
    });
  });
});
