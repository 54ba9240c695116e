import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../daemon/model/setup/architectures.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { withWeights } from '../../../daemon/model/weights.js';
import { writeKeras, writeKerasH5 } from '../../../daemon/model/files/writeKeras.js';
import { savePlain, scratch, tfl } from './tfjs.js';

const fixtures = join(dirname(fileURLToPath(import.meta.url)), 'fixtures');

/** A Python that has the module, or null. LC_PRUNE_PYTHON names one. */
function pythonWith(module: string): string | null {
  for (const python of [process.env.LC_PRUNE_PYTHON, 'python3', '/usr/bin/python3']) {
    if (!python) continue;
    try {
      execFileSync(python, ['-c', `import ${module}`], {
        stdio: 'ignore',
        env: { ...process.env, KERAS_BACKEND: 'jax' },
      });
      return python;
    } catch {
      // The next one.
    }
  }
  return null;
}
const h5py = pythonWith('h5py');
const keras = pythonWith('keras, jax');
const run = (python: string, code: string): unknown =>
  JSON.parse(
    execFileSync(python, ['-c', code], {
      encoding: 'utf8',
      env: { ...process.env, KERAS_BACKEND: 'jax' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split('\n')
      .at(-1)!,
  );

const tensors = (model: LayersModel) =>
  model.weights.map(({ name, shape, data }) => ({ name, shape, data: [...data] }));
const pruned = (model: LayersModel): LayersModel =>
  withWeights(model, new Map(model.weights.map((w) => [w.name, w.data.map((x, i) => (i % 2 ? x : 0))])));

describe('Keras files that are written', () => {
  for (const name of ['cnn', 'nested', 'rnn', 'misc'] as const) {
    it(`${name}: both formats read back with identical tensors`, async () => {
      const folder = await scratch();
      const model = pruned(await readLayers(`${name}.keras`, { workspace: fixtures }));
      await writeKeras(model, join(folder, 'm.keras'));
      await writeKerasH5(model, join(folder, 'm.h5'));
      for (const file of ['m.keras', 'm.h5']) {
        expect(tensors(await readLayers(file, { workspace: folder }))).toEqual(tensors(model));
      }
    });
  }

  it('a TensorFlow.js model and its Keras forms hold identical tensors', async () => {
    const folder = await scratch();
    const L = tfl.layers;
    const net = tfl.sequential({
      layers: [
        L.conv2d({ filters: 3, kernelSize: 3, inputShape: [8, 8, 1], kernelInitializer: 'leCunNormal', name: 'c' }),
        L.reshape({ targetShape: [-1, 3], name: 'r' }),
        L.gru({ units: 4, recurrentActivation: 'sigmoid', name: 'g' }) as tfl.layers.Layer,
        L.dense({ units: 2, name: 'd' }),
      ],
    });
    const model = await readLayers(await savePlain(net, folder), { workspace: folder });
    await writeKeras(model, join(folder, 'm.keras'));
    await writeKerasH5(model, join(folder, 'm.h5'));
    for (const file of ['m.keras', 'm.h5']) {
      expect(tensors(await readLayers(file, { workspace: folder }))).toEqual(tensors(model));
    }
    const members = unzipSync(new Uint8Array(await readFile(join(folder, 'm.keras'))));
    const config = strFromU8(members['config.json']!);
    // What Keras would otherwise default differently.
    expect(config).toContain('"reset_after":false');
    expect(config).toContain('"target_shape":[36,3]');
    // The file has the values, so initializers are Keras's defaults.
    expect(config).toContain('"kernel_initializer":"glorot_uniform"');
    expect(config).not.toContain('VarianceScaling');
  });

  it.skipIf(h5py === null)('h5py sees Keras\'s layout and values (skipped: no Python with h5py)', async () => {
    const folder = await scratch();
    const model = buildArchitecture('lenet300', 1);
    await writeKerasH5(model, join(folder, 'm.h5'));
    const seen = run(
      h5py!,
      `import h5py, json
f = h5py.File(${JSON.stringify(join(folder, 'm.h5'))})
w = f['model_weights']
text = lambda v: v.decode() if hasattr(v, 'decode') else v
print(json.dumps({'config': json.loads(text(f.attrs['model_config']))['class_name'], 'layers': [text(n) for n in w.attrs['layer_names']],
  'names': [text(n) for n in w['fc1'].attrs['weight_names']], 'shape': w['fc1/fc1/kernel:0'].shape, 'dtype': str(w['fc1/fc1/kernel:0'].dtype), 'sum': float(w['fc1/fc1/kernel:0'][:].astype('float64').sum())}))`,
    );
    const sum = model.weights[0]!.data.reduce((total, x) => total + x, 0);
    expect(seen).toMatchObject({ config: 'Sequential', layers: ['fc1', 'fc2', 'fc3'], names: ['fc1/kernel:0', 'fc1/bias:0'], shape: [784, 300], dtype: 'float32' });
    expect((seen as { sum: number }).sum).toBeCloseTo(sum, 6);
  });

  it.skipIf(keras === null)('Keras loads both formats with the weights in place (skipped: no Python with keras and jax)', async () => {
    const folder = await scratch();
    const names = ['cnn', 'nested', 'rnn', 'misc'];
    for (const name of names) {
      const model = await readLayers(`${name}.h5`, { workspace: fixtures });
      await writeKeras(model, join(folder, `${name}.keras`));
      await writeKerasH5(model, join(folder, `${name}.h5`));
    }
    const worst = run(
      keras!,
      `import keras, json, gzip, numpy as np
out, fix = ${JSON.stringify(folder)}, ${JSON.stringify(fixtures)}
worst = {}
for n in ${JSON.stringify(names)}:
  x = json.load(gzip.open(f'{fix}/{n}.expected.json.gz'))
  ins = [np.array(i['values'], dtype='float32').reshape(i['shape']) for i in x['inputs']]
  for e in ['keras', 'h5']:
    o = keras.models.load_model(f'{out}/{n}.{e}').predict(ins if len(ins) > 1 else ins[0], verbose=0)
    o = o if isinstance(o, list) else [o]
    worst[n + '.' + e] = max(float(np.abs(a.ravel() - np.array(b)).max()) for a, b in zip(o, x['outputs']))
print(json.dumps(worst))`,
    ) as Record<string, number>;
    expect(Object.keys(worst)).toHaveLength(8);
    for (const [file, error] of Object.entries(worst)) expect(error, file).toBeLessThan(1e-5);
  });
}); // prettier-ignore
