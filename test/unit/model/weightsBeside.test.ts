/** Keras models in two files, where the user names either; and HDF5 files that are not models. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { buildHdf5 } from '../../../daemon/model/files/hdf5.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { partnerOf } from '../../../daemon/model/files/weightsBeside.js';
import { scratch } from './tfjs.js';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), 'fixtures');
const tensors = (model: LayersModel) =>
  model.weights.map(({ name, shape, data }) => ({ name, shape, data: [...data] }));

let folder: string;
beforeEach(async () => {
  folder = await scratch();
});

const put = async (name: 'cnn' | 'rnn', weights: string | null, json: string | null) => {
  if (weights !== null) await copyFile(join(fixtures, name, `${name}.weights.h5`), join(folder, weights));
  if (json !== null)
    await writeFile(join(folder, json), gunzipSync(await readFile(join(fixtures, name, `${name}.json.gz`))));
};
const read = (file: string) => readLayers(file, { workspace: folder });
const refusal = (file: string) =>
  read(file).then(
    () => 'read',
    (error: Error) => error.message,
  );

describe('weights alone', () => {
  it.each([
    ['net.weights.h5', 'net.json'],
    ['net.h5', 'net.json'],
    ['net_weights.h5', 'net_architecture.json'],
    ['model_weights.h5', 'model.json'],
    ['best.h5', 'arch.json'],
  ])('%s is read with the layers of %s beside it, among other files', async (weights, json) => {
    await put('cnn', weights, json);
    await writeFile(join(folder, 'package.json'), '{"name":"x","dependencies":{}}');
    await writeFile(join(folder, 'history.json'), '{"loss":[1,2]}');
    const model = await read(weights);
    expect(tensors(model)).toEqual(tensors(await readLayers('cnn.h5', { workspace: fixtures })));
    expect(model.path).toBe(join(folder, weights));
    expect(model.notes.join()).toContain(`the layers were read from ${json}`);
    // The other one may be named as well.
    expect(tensors(await read(json))).toEqual(tensors(model));
  });

  it('takes the JSON of the same stem, also if there are others', async () => {
    await put('cnn', 'a.h5', 'a.json');
    await put('rnn', 'b.weights.h5', 'b.json');
    expect(tensors(await read('a.h5'))).toEqual(tensors(await readLayers('cnn.h5', { workspace: fixtures })));
    expect(tensors(await read('b.weights.h5'))).toEqual(tensors(await readLayers('rnn.h5', { workspace: fixtures })));
  });

  it('names the candidates if several fit', async () => {
    await put('cnn', 'w.h5', 'first.json');
    await put('rnn', null, 'second.json');
    expect(await refusal('w.h5')).toMatch(/w\.h5 holds weights alone.*"first\.json", "second\.json".*w\.json/);
    await put('cnn', 'v.h5', null);
    expect(await refusal('first.json')).toMatch(/beside it lie "v\.h5", "w\.h5"; name the one/);
  });

  it('reports if the only JSON is of another model, or there is none', async () => {
    await put('cnn', 'w.h5', null);
    expect(await refusal('w.h5')).toMatch(/w\.h5 holds weights alone.*to_json\(\) as .*w\.json/);
    await put('rnn', null, 'other.json');
    expect(await refusal('w.h5')).toMatch(/w\.h5: .*weights and topology are not of the same model/);
  });
});

describe('an HDF5 file that is not a model', () => {
  it('is named as what it is', async () => {
    const data = await buildHdf5((file) => {
      file.tensor('x', { shape: [2, 3], data: new Float32Array(6) });
      file.tensor('y', { shape: [2], data: new Float32Array(2) });
      file.tensor('layers/first', { shape: [1], data: new Float32Array(1) });
    });
    await writeFile(join(folder, 'data.h5'), data);
    const message = await refusal('data.h5');
    expect(message).toMatch(/data\.h5 is an HDF5 file, but no Keras model/);
    expect(message).toContain('the array "x" [2, 3]');
    expect(message).toContain('the array "y" [2]');
    expect(message).toContain('the group "layers" ("first")');
    expect(message).not.toMatch(/weights alone/);
    await writeFile(join(folder, 'empty.h5'), await buildHdf5(() => undefined));
    expect(await refusal('empty.h5')).toContain('it holds nothing');
    await put('cnn', null, 'data.json');
    expect(await refusal('data.json')).toMatch(/data\.h5 has no Keras weights: it holds .*"x"/);
  });
});

it('pairs names by stem, then by the rest of it, then only if they are unambiguous', () => {
  expect(partnerOf('a.json', ['a.h5', 'a.weights.h5', 'b.h5'])).toBe('a.weights.h5');
  expect(partnerOf('net_model.json', ['net_weights.h5', 'other.h5'])).toBe('net_weights.h5');
  expect(partnerOf('net.json', ['net-weights.h5', 'net_weights.h5'])).toBeNull();
  expect(partnerOf('net.json', ['other.h5'])).toBe('other.h5');
  expect(partnerOf('net.json', [])).toBeNull();
});
