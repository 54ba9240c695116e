/** Operations in files: read back from what was written for Keras 3, computed alike by onnxruntime, refused for TensorFlow.js. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { findFormat } from '../../../../daemon/export/exportModel.js';
import { withHdf5 } from '../../../../daemon/model/files/hdf5.js';
import { layersOf, type LayerJson } from '../../../../daemon/model/layers/layerConfig.js';
import type { LayersModel } from '../../../../daemon/model/model.js';
import { normaliseTopology } from '../../../../daemon/model/normalise/normalise.js';
import { readLayers } from '../../../fixtures/readLayers.js';
import { scratch } from '../tfjs.js';

const tensor = (name: string) => ({ class_name: '__keras_tensor__', config: { shape: [null, 6], dtype: 'float32', keras_history: [name, 0, 0] } }); // prettier-ignore
const slice = (start: number | null, stop: number | null, step: number | null) => ({ class_name: '__slice__', config: { start, stop, step } }); // prettier-ignore
const operation = (className: string, name: string, args: unknown[], config: object = {}) => ({
  module: 'keras.src.ops.numpy',
  class_name: className,
  registered_name: className,
  name,
  config: { name, ...config },
  inbound_nodes: [{ args, kwargs: {} }],
});

/** y = max over pairs of |1 / (2 + x^2)|, ... of six features behind a Dense: only what no layer computes. */
const raw = {
  class_name: 'Functional',
  config: {
    name: 'operations',
    trainable: true,
    layers: [
      { class_name: 'InputLayer', name: 'input', inbound_nodes: [], config: { name: 'input', batch_shape: [null, 6], dtype: 'float32' } },
      { class_name: 'Dense', name: 'before', config: { name: 'before', trainable: true, units: 6, activation: 'linear', use_bias: true }, inbound_nodes: [{ args: [tensor('input')], kwargs: {} }] },
      operation('Power', 'power', [2, tensor('before')]),
      operation('GetItem', 'even', [tensor('power'), [slice(null, null, null), slice(null, null, 2)]]),
      operation('GetItem', 'odd', [tensor('power'), [{ class_name: '__ellipsis__', config: {} }, slice(1, null, 2)]]),
      operation('Divide', 'ratio', [tensor('even'), tensor('odd')]),
      operation('Clip', 'clip', [tensor('ratio')], { x_min: 0.25, x_max: 3 }),
      operation('Sum', 'sum', [tensor('clip')], { axis: [-1], keepdims: true }),
    ],
    input_layers: [['input', 0, 0]],
    output_layers: [['sum', 0, 0]],
  },
}; // prettier-ignore

const kernel = Float32Array.from({ length: 36 }, (_, i) => Math.sin(1 + i) / 2);
const bias = Float32Array.from({ length: 6 }, (_, i) => Math.cos(i) / 3);
const model: LayersModel = {
  kind: 'layers',
  format: 'keras-v3',
  path: 'model.keras',
  topology: normaliseTopology(raw, 'model.keras', true).topology,
  weights: [
    { name: 'before/kernel', shape: [6, 6], dtype: 'float32', data: kernel },
    { name: 'before/bias', shape: [6], dtype: 'float32', data: bias },
  ],
  notes: [],
};
const operationsOf = ({ topology }: LayersModel) =>
  layersOf(topology as LayerJson).filter(({ class_name: name }) => name === 'Operation');

async function written(id: string, name: string): Promise<string> {
  const path = join(await scratch(), name);
  await findFormat(id).write(model, path);
  return path;
}

describe('operations in files', () => {
  it.each([['keras', 'm.keras'], ['keras-h5', 'm.h5']])('are read back from %s', async (id, name) => {
    const path = await written(id, name);
    const back = await readLayers(path, { workspace: join(path, '..') });
    expect(operationsOf(back).map(({ config }) => config)).toEqual(operationsOf(model).map(({ config }) => config));
    expect(operationsOf(back)).toHaveLength(6);
    expect([...back.weights[0]!.data]).toEqual([...kernel]);
  }); // prettier-ignore

  it('are written as Keras 3 writes them, with the module in HDF5 too', async () => {
    const zip = unzipSync(new Uint8Array(await readFile(await written('keras', 'm.keras'))));
    const h5 = await written('keras-h5', 'm.h5');
    const config = await withHdf5(new Uint8Array(await readFile(h5)), h5, (file) => file.text('', 'model_config')!);
    for (const text of [strFromU8(zip['config.json']!), config]) {
      const layers = layersOf(JSON.parse(text) as LayerJson) as (LayerJson & { module?: string })[];
      for (const given of raw.config.layers.slice(2)) {
        const found = layers.find(({ name }) => name === given.name)!;
        expect({ module: found.module, class_name: found.class_name, config: found.config }).toEqual({
          module: (given as { module?: string }).module,
          class_name: given.class_name,
          config: given.config,
        });
        const args = (node: unknown): unknown =>
          JSON.parse(JSON.stringify((node as { args: unknown }).args).replace(/"shape":\[[^\]]*\]/g, '"shape":[]'));
        expect(args((found.inbound_nodes as unknown[])[0])).toEqual(args(given.inbound_nodes[0]));
      }
    }
  });

  it('compute in ONNX what they are defined to', async () => {
    const session = await ort.InferenceSession.create(await written('onnx', 'm.onnx'), { intraOpNumThreads: 1 });
    const x = Float32Array.from({ length: 12 }, (_, i) => Math.sin(3 * i));
    const output = await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', x, [2, 6]) });
    const found = output[session.outputNames[0]!]!;
    expect(found.dims).toEqual([2, 1]);
    [0, 1].forEach((row) => {
      const z = [...bias].map((b, j) => b + [...kernel.keys()].filter((k) => k % 6 === j).reduce((sum, k) => sum + kernel[k]! * x[6 * row + Math.floor(k / 6)]!, 0)); // prettier-ignore
      const ratio = [0, 2, 4].map((j) => Math.min(Math.max(2 ** z[j]! / 2 ** z[j + 1]!, 0.25), 3));
      expect(found.data[row]).toBeCloseTo(ratio.reduce((sum, value) => sum + value, 0), 5); // prettier-ignore
    });
  });

  it('are refused for TensorFlow.js, by name', async () => {
    for (const id of ['tfjs-layers', 'tfjs-layers-thinned', 'tfjs-uint8'])
      await expect(written(id, 'm.json')).rejects.toThrow(/layer "power" is the operation power, for which TensorFlow.js has no layer/); // prettier-ignore
  });
});
