import * as ort from 'onnxruntime-node';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportModel, findFormat, measureModel } from '../../../daemon/export/exportModel.js';
import { FORMATS } from '../../../daemon/export/formats.js';
import { readSparsePackage } from '../../../daemon/export/sparse/readSparsePackage.js';
import { createRandom } from '../../../daemon/lc/random.js';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { expectSame } from '../../unit/export/expectSame.js';
import { keepShare } from '../../unit/export/prunedModels.js';
import { predict } from '../../unit/export/randomNetworks.js';

const python = '/usr/bin/python3';
const hasPython = (module: string) => spawnSync(python, ['-c', `import ${module}`]).status === 0;

const models: Readonly<Record<string, { model: LayersModel; shape: readonly number[] }>> = {
  lenet300: { model: keepShare(buildArchitecture('lenet300', 1), 0.02, 1), shape: [3, 784] },
  lenet5: { model: keepShare(buildArchitecture('lenet5', 1), 0.02, 2), shape: [3, 28, 28, 1] },
};
const inputs = (() => {
  const random = createRandom(9);
  return Float32Array.from({ length: 3 * 784 }, () => random.normal());
})();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lc-prune-export-'));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));

async function exported(name: string, id: string): Promise<{ path: string; bytes: number }> {
  const format = findFormat(id);
  return exportModel(models[name]!.model, format, join(folder, `${name}-${id}${format.extension}`));
}

/** The outputs of the format's own reader for the inputs. */
async function outputs(path: string, shape: readonly number[]): Promise<Float32Array> {
  if (path.endsWith('.onnx')) {
    const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1 });
    const result = await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', inputs, shape) });
    return result[session.outputNames[0]!]!.data as Float32Array;
  }
  const model = path.endsWith('.lcp')
    ? readSparsePackage(await readFile(path), path)
    : await readLayers(path, { workspace: folder });
  return predict(model, inputs, shape);
}

const exact = ['tfjs-layers', 'tfjs-layers-thinned', 'keras-h5', 'keras', 'keras-thinned', 'onnx', 'onnx-thinned', 'sparse', 'sparse-thinned']; // prettier-ignore

describe.each(Object.keys(models))('%s', (name) => {
  const { model, shape } = models[name]!;

  it.each(exact)('%s gives the pruned outputs', async (id) => {
    const { path, bytes } = await exported(name, id);
    expect((await stat(path)).size).toBeLessThanOrEqual(bytes);
    expectSame(await outputs(path, shape), await predict(model, inputs, shape), id, 2e-6);
  });

  it.each([
    ['tfjs-uint8', 255],
    ['tfjs-uint16', 65_535],
  ] as const)('%s keeps zeros and rounds kernels by half a step at most', async (id, steps) => {
    const { path } = await exported(name, id);
    const read = await readLayers(path, { workspace: folder });
    const thinned = await readLayers((await exported(name, 'tfjs-layers-thinned')).path, { workspace: folder });
    thinned.weights.forEach(({ name: weight, data }, i) => {
      const range = Math.max(0, ...data) - Math.min(0, ...data);
      const most = weight.endsWith('kernel') ? (0.5001 * range) / steps : 0;
      data.forEach((value, k) => {
        const stored = read.weights[i]!.data[k]!;
        if (value === 0 ? stored !== 0 : Math.abs(stored - value) > most + 1e-9)
          expect.fail(`${weight}[${k}]: ${stored} for ${value}`);
      });
    });
  });

  it.each([
    ['safetensors', 'numpy'],
    ['scipy-csr', 'scipy.sparse'],
    ['mask-npz', 'numpy'],
    ['sparse', 'numpy'],
  ])('%s is read by Python', async (id, module) => {
    if (!hasPython(module)) return console.warn(`SKIPPED ${id}: ${python} with ${module} is not here`);
    const { path } = await exported(name, id);
    const run = spawnSync(python, [join(import.meta.dirname, 'readers.py'), id, path], { encoding: 'utf8' });
    expect(run.stderr).toBe('');
    const expected = model.weights
      .filter((weight) => id !== 'mask-npz' || weight.name.endsWith('kernel'))
      .map(({ name: weight, shape: dims, data }) => {
        const values = id === 'mask-npz' ? data.map((x) => Number(x !== 0)) : data;
        const kept = values.reduce((n, x) => n + Number(x !== 0), 0);
        // Python's -0 would differ.
        const plain = values.map((x) => (x === 0 ? 0 : x));
        return [weight, { shape: dims, kept, sha: createHash('sha256').update(plain).digest('hex') }];
      });
    expect(JSON.parse(run.stdout)).toEqual(Object.fromEntries(expected));
  });

  it('is measured in every format as it is written', async () => {
    const { formats, left, reference } = await measureModel(model);
    const dense = name === 'lenet300';
    expect(left.map(({ format }) => format)).toEqual(dense ? [] : ['sparse-module']);
    expect(formats.map(({ format }) => format)).toEqual(
      FORMATS.map(({ id }) => id).filter((id) => dense || id !== 'sparse-module'),
    );
    expect(reference).toBe(4 * model.weights.reduce((n, { data }) => n + data.length, 0));
    const size = (id: string) => formats.find(({ format }) => format === id)!;
    for (const id of ['sparse', 'onnx-thinned', 'tfjs-uint8', 'scipy-csr']) {
      expect((await exported(name, id)).bytes, id).toBeCloseTo(size(id).bytes, -2);
      expect(size(id).ratio).toBeCloseTo(reference / size(id).bytes, 9);
    }
    // 2% of the weights kept: the dense formats keep their size, the sparse ones do not.
    expect(size('tfjs-layers').ratio).toBeLessThan(1);
    expect(size('sparse').ratio).toBeGreaterThan(20);
    expect(size('sparse').brotli).toBeLessThan(size('tfjs-layers').brotli);
  });
});

it('says what the formats are when asked for another', () => {
  expect(() => findFormat('pickle')).toThrow(/no format is called "pickle"; known: tfjs-layers, /);
});
