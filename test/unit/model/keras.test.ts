import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { buildHdf5 } from '../../../daemon/model/files/hdf5.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { writeTfjsModel } from '../../../daemon/model/files/writeTfjs.js';
import { difference, loadPlain, scratch, tf } from './tfjs.js';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), 'fixtures');
const NETWORKS = ['cnn', 'nested', 'rnn', 'misc'] as const;

interface Expected {
  inputs: { shape: number[]; values: number[] }[];
  outputs: number[][];
}
const expected = async (name: string): Promise<Expected> =>
  JSON.parse(gunzipSync(await readFile(join(fixtures, `${name}.expected.json.gz`))).toString()) as Expected;

/** Largest difference between what Keras predicted and what plain TensorFlow.js predicts with the model that was read. */
async function errorAgainstKeras(model: LayersModel, name: string): Promise<number> {
  const folder = await scratch();
  await writeTfjsModel(model, join(folder, 'm.json'));
  const plain = await loadPlain(join(folder, 'm.json'));
  const { inputs, outputs } = await expected(name);
  const predicted = [plain.predict(inputs.map(({ shape, values }) => tf.tensor(values, shape)))].flat();
  return Math.max(...predicted.map((output, i) => difference(output.dataSync(), outputs[i]!)));
}

const tensors = (model: LayersModel) =>
  model.weights.map(({ name, shape, data }) => ({ name, shape, data: [...data] }));

describe('files that Keras 3 wrote', () => {
  for (const name of NETWORKS) {
    it(`${name}: .keras, .h5 and weights beside a JSON give the same tensors, and Keras's own outputs`, async () => {
      const workspace = await scratch();
      await writeFile(
        join(workspace, `${name}.json`),
        gunzipSync(await readFile(join(fixtures, name, `${name}.json.gz`))),
      );
      await copyFile(join(fixtures, name, `${name}.weights.h5`), join(workspace, `${name}.weights.h5`));
      const native = await readLayers(`${name}.keras`, { workspace: fixtures });
      const legacy = await readLayers(`${name}.h5`, { workspace: fixtures });
      const beside = await readLayers(`${name}.json`, { workspace });
      expect(native.format).toBe('keras-v3');
      expect(legacy.format).toBe('keras-h5');
      expect(tensors(legacy)).toEqual(tensors(native));
      expect(tensors(beside)).toEqual(tensors(native));
      expect(beside.notes.join()).toContain(`${name}.weights.h5 beside the JSON`);
      expect(await errorAgainstKeras(native, name)).toBeLessThan(1e-5);
    });
  }

  it('reports what it changed', async () => {
    const { notes } = await readLayers('cnn.keras', { workspace: fixtures });
    expect(notes.join('\n')).toMatch(/RandomFlip.*identity/);
    expect(notes.join('\n')).toMatch(/silu became swish/);
    expect(notes.join('\n')).toMatch(/leaky_relu became linear and a LeakyReLU layer: dense/);
    const nested = (await readLayers('nested.keras', { workspace: fixtures })).notes.join('\n');
    expect(nested).toMatch(/nested model are counted from 1/);
    expect(nested).toMatch(/renamed.*seqq\/d to seqq_d/);
  });

  it('renaming the members of a zip or swapping its layers is noticed', async () => {
    const folder = await scratch();
    const members = unzipSync(new Uint8Array(await readFile(join(fixtures, 'cnn.keras'))));
    await mkdir(join(folder, 'a'));
    const without = { ...members };
    delete without['model.weights.h5'];
    await writeFile(join(folder, 'a', 'x.keras'), zipSync(without));
    await expect(readLayers('a/x.keras', { workspace: folder })).rejects.toThrow(/x\.keras has no model\.weights\.h5/);
    const other = unzipSync(new Uint8Array(await readFile(join(fixtures, 'misc.keras'))));
    await writeFile(
      join(folder, 'a', 'y.keras'),
      zipSync({ ...members, 'model.weights.h5': other['model.weights.h5']! }),
    );
    await expect(readLayers('a/y.keras', { workspace: folder })).rejects.toThrow(/y\.keras: layer "\w+"/);
  });

  it('the layout of Keras 2.12 and 2.13: other group names, counters with gaps', async () => {
    const folder = await scratch();
    const model = buildArchitecture('lenet300', 4);
    const layer = (class_name: string, config: object) => ({
      module: 'keras.layers',
      class_name,
      config,
      registered_name: null,
    });
    const config = {
      class_name: 'Sequential',
      config: {
        name: 's',
        layers: [
          layer('InputLayer', { name: 'in', batch_input_shape: [null, 784] }),
          layer('Dense', { name: 'fc1', units: 300 }),
          layer('Dropout', { name: 'drop', rate: 0.5 }),
          layer('Dense', { name: 'fc2', units: 100 }),
          layer('Dense', { name: 'fc3', units: 10 }),
        ],
      },
    };
    const weights = await buildHdf5((h5) => {
      h5.group('vars');
      ['dense', 'dense_2', 'dense_10'].forEach((group, i) =>
        [0, 1].forEach((k) =>
          h5.tensor(`_layer_checkpoint_dependencies/${group}/vars/${k}`, model.weights[2 * i + k]!),
        ),
      );
    });
    const zip = zipSync({
      'config.json': strToU8(JSON.stringify(config)),
      'metadata.json': strToU8('{}'),
      'model.weights.h5': weights,
    });
    await writeFile(join(folder, 'old.keras'), zip);
    const read = await readLayers('old.keras', { workspace: folder });
    expect(tensors(read)).toEqual(tensors(model));
    expect(read.notes.join()).toContain('2.12 and 2.13');
  });
});
