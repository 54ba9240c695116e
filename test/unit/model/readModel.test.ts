import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../daemon/protocol/errors.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import { modelGraph } from '../../../daemon/model/layers/layerGraph.js';
import { readModel } from '../../../daemon/model/files/readModel.js';
import { withZeroInitializers } from '../../../daemon/model/normalise/zeroInitializers.js';
import { scratch, tfl } from './tfjs.js';

const { topology } = buildArchitecture('lenet300', 0);
const manifest = (weights: unknown, paths: unknown = ['w.bin']) =>
  JSON.stringify({ modelTopology: topology, weightsManifest: [{ paths, weights }] });

describe('files that are not a TensorFlow.js layers-model: one line, the file, the way out', () => {
  const cases: [string, string, RegExp][] = [
    ['a graph-model', '{"format":"graph-model","modelTopology":{"node":[{"name":"a"}],"versions":{}},"weightsManifest":[]}', /is a graph-model.*--output_format=tfjs_layers_model/],
    ['a graph-model with a forged format', '{"format":"layers-model","modelTopology":{"node":[{"name":"a"}]}}', /is a graph-model/],
    ['Keras to_json', JSON.stringify({ ...topology, keras_version: '2.15.0', backend: 'tensorflow' }), /topology without weights \(Keras to_json\).*m\.weights\.h5 beside it/],
    ['a null topology', '{"modelTopology":null,"weightsManifest":[]}', /modelTopology is null/],
    ['a manifest', '[{"paths":["a"],"weights":[]}]', /weights manifest without a topology/],
    ['a list', '[1,2]', /is a JSON list/],
    ['package.json', '{"name":"x","dependencies":{}}', /is a package\.json/],
    ['a notebook', '{"nbformat":4,"cells":[]}', /Jupyter notebook/],
    ['a plan', '{"model":"m.json","budget":{"keep":"1%"}}', /looks like a plan/],
    ['another object', '{"a":1}', /has no modelTopology with class_name and config/],
    ['a number', '12', /is not a model/],
    ['nothing', '  ', /is empty/],
    ['a git-lfs pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n', /git-lfs pointer.*git lfs pull/],
    ['a web page', '<!DOCTYPE html><html></html>', /is a web page/],
    ['a cut file', manifest([]).slice(0, 300), /is not valid JSON .*is it cut off/],
    ['NaN in JSON', '{"modelTopology":{"class_name":"Sequential","config":{"x":NaN}}}', /holds NaN or Infinity/],
    ['endless nesting', '{"modelTopology":'.repeat(2000), /nested deeper than 256/],
    ['no weights', manifest([], []), /lists no weights/],
    ['weights without files', manifest([{ name: 'fc1/kernel', shape: [784, 300], dtype: 'float32' }], []), /lists weights but no file/],
    ['a wrong path list', manifest([], 'w.bin'), /weightsManifest\[0\]\.paths is not a list/],
    ['a nameless weight', manifest([{ shape: [1] }]), /weightsManifest\[0\]\.weights\[0\] has no name/],
    ['an impossible shape', manifest([{ name: 'a', shape: [1e15] }]), /impossible shape/],
    ['a shape of words', manifest([{ name: 'a', shape: ['x'] }]), /not a list of sizes/],
    ['strings as weights', manifest([{ name: 'a', shape: [1], dtype: 'string' }]), /dtype "string"/],
    ['unknown quantization', manifest([{ name: 'a', shape: [1], quantization: { dtype: 'int4' } }]), /quantization/],
    ['quantization without scale', manifest([{ name: 'a', shape: [1], quantization: { dtype: 'uint8' } }]), /without scale and min/],
    ['one name twice', manifest([{ name: 'a', shape: [1] }, { name: 'a', shape: [1] }]), /two weights are named "a"/],
  ];
  for (const [name, text, message] of cases) {
    it(name, async () => {
      const folder = await scratch();
      await writeFile(join(folder, 'm.json'), text);
      const error = await readModel('m.json', { workspace: folder }).then(
        () => null,
        (e: unknown) => e,
      );
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).message).toMatch(message);
      expect((error as UserError).message).toContain('m.json');
      expect((error as UserError).message).not.toContain('\n');
    });
  }

  it('a missing file, and a folder', async () => {
    const folder = await scratch();
    await mkdir(join(folder, 'd'));
    await expect(readModel('none.json', { workspace: folder })).rejects.toMatchObject({ code: 'model-missing' });
    await expect(readModel('d', { workspace: folder })).rejects.toThrow(/is a folder; name the model\.json/);
  });

  it('HDF5 without a model, and damaged files, are distinguished by content, not by name', async () => {
    const folder = await scratch();
    await writeFile(join(folder, 'x.keras'), manifest([]));
    await expect(readModel('x.keras', { workspace: folder })).rejects.toThrow(/"w\.bin" is missing/);
    await writeFile(join(folder, 'x.h5'), Buffer.concat([Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), Buffer.alloc(500)]));
    await expect(readModel('x.h5', { workspace: folder })).rejects.toThrow(/x\.h5 is a damaged HDF5 file/);
    await writeFile(join(folder, 'y.json'), Buffer.from('PK\x03\x04 and so on', 'latin1'));
    await expect(readModel('y.json', { workspace: folder })).rejects.toThrow(/y\.json is a damaged zip/);
  });
}); // prettier-ignore

it('a topology with zero initializers builds the same weights, all zero', async () => {
  const net = tfl.sequential({ layers: [tfl.layers.lstm({ units: 3, inputShape: [4, 2], name: 'l' }) as tfl.layers.Layer, tfl.layers.dense({ units: 2, name: 'd' })] });
  const quick = withZeroInitializers(net.toJSON(null, false) as never);
  const built = await tfl.models.modelFromJSON(structuredClone(quick) as never);
  expect(built.weights.map((w) => (w as unknown as { originalName: string }).originalName)).toEqual(
    modelGraph(quick).layers.flatMap((node) => node.weights.map((w) => w.name)),
  );
  expect(built.getWeights()[1]!.dataSync().every((x) => x === 0)).toBe(true);
}); // prettier-ignore
