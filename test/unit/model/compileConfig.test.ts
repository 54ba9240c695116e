/** Written Keras files hold the model's compilation in the form of Keras 3, and have the same meaning when they are read back. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { withHdf5 } from '../../../daemon/model/files/hdf5.js';
import type { LayersModel } from '../../../daemon/model/model.js';
import { readLayers } from '../../fixtures/readLayers.js';
import { trainingSetup } from '../../../daemon/model/setup/trainingSetup.js';
import { writeKeras, writeKerasH5 } from '../../../daemon/model/files/writeKeras.js';
import { builtModel } from '../export/builtModel.js';
import { checkKeras, checkKerasH5 } from '../keras3/checker.js';
import type { Json } from '../keras3/config.js';
import { scratch } from './tfjs.js';

const cases = join(import.meta.dirname, '..', '..', 'fixtures', 'keras');
const names = ['label-smoothing', 'multi-output', 'other-head', 'residual-bn', 'embed-text', 'transfer-frozen'];

const layer = (class_name: string, config: object) => ({ class_name, config: { name: class_name.toLowerCase(), ...config } }); // prettier-ignore
const net = (trainingConfig: Record<string, unknown>): LayersModel => ({
  ...builtModel({ class_name: 'Sequential', config: { name: 'm', layers: [layer('Dense', { units: 3, activation: 'softmax', batch_input_shape: [null, 4] })] } }, false), // prettier-ignore
  trainingConfig,
});

/** The settings in both formats, checked as Keras 3 would, and read back. */
async function written(
  model: LayersModel,
): Promise<{ native: Json | undefined; h5: Json | undefined; read: LayersModel[] }> {
  const folder = await scratch();
  await writeKeras(model, join(folder, 'm.keras'));
  await writeKerasH5(model, join(folder, 'm.h5'));
  await checkKeras(join(folder, 'm.keras'));
  await checkKerasH5(join(folder, 'm.h5'));
  const members = unzipSync(new Uint8Array(await readFile(join(folder, 'm.keras'))));
  const { compile_config: native } = JSON.parse(strFromU8(members['config.json']!)) as { compile_config?: Json };
  const text = await withHdf5(new Uint8Array(await readFile(join(folder, 'm.h5'))), 'm.h5', (h5) => h5.text('', 'training_config')); // prettier-ignore
  const h5 = text === null ? undefined : (JSON.parse(text) as Json);
  return { native, h5, read: await Promise.all(['m.keras', 'm.h5'].map((file) => readLayers(file, { workspace: folder }))) }; // prettier-ignore
}

describe('the compile config of Keras files', () => {
  it.each(names)('%s: the losses and metrics of each output are those of the file', async (name) => {
    const folder = join(cases, name);
    const file = readdirSync(folder).find((one) => one.endsWith('.keras'))!;
    const model = await readLayers(file, { workspace: folder });
    const { native, h5, read } = await written(model);
    expect(native!.loss).toEqual(h5!.loss);
    const { outputNames } = trainingSetup(model);
    const meaning = (of: LayersModel) =>
      outputNames.map((output) => {
        const { loss, lossSettings, classification, fromLogits } = trainingSetup(of, output);
        return { loss, lossSettings, classification, fromLogits };
      });
    for (const again of read) expect(meaning(again)).toEqual(meaning(model));
  });

  it('keeps settings, weights of losses and the optimizer with its constants', async () => {
    const model = await readLayers('model.keras', { workspace: join(cases, 'label-smoothing') });
    expect((await written(model)).native).toMatchObject({
      loss: { module: 'keras.losses', class_name: 'CategoricalCrossentropy', config: { label_smoothing: 0.1 } },
      metrics: ['accuracy'],
    });
    const heads = await readLayers('model.keras', { workspace: join(cases, 'other-head') });
    const { native } = await written(heads);
    expect(native!.loss).toHaveLength(2);
    const adam = net({ optimizer_config: { class_name: 'Adam', config: { learningRate: 0.002, beta1: 0.8, epsilon: null } }, loss: 'categoricalCrossentropy', metrics: ['acc', { class_name: 'AUC', config: { name: 'auc', curve: 'PR', thresholds: [0.5] } }, 'f1_of_my_own'] }); // prettier-ignore
    const found = await written(adam);
    expect(found.native).toEqual({
      optimizer: { module: 'keras.optimizers', class_name: 'Adam', config: { learning_rate: 0.002, beta_1: 0.8 }, registered_name: null }, // prettier-ignore
      loss: 'categorical_crossentropy',
      loss_weights: null,
      metrics: ['acc', { module: 'keras.metrics', class_name: 'AUC', config: { name: 'auc', curve: 'PR' }, registered_name: null }], // prettier-ignore
      weighted_metrics: null,
    });
    expect(found.h5!.optimizer_config).toEqual({ class_name: 'Adam', config: { learning_rate: 0.002, beta_1: 0.8 } });
  });

  it('is left out where Keras has no such loss; what else it lacks is its default', async () => {
    expect((await written(net({ loss: 'my_own_loss', metrics: ['accuracy'] }))).native).toBeUndefined();
    expect((await written(net({ loss: { class_name: 'function', config: 'mse' }, optimizer: { class_name: 'Mine', config: {} } }))).native).toMatchObject({ loss: 'mean_squared_error', optimizer: { class_name: 'RMSprop' }, metrics: null }); // prettier-ignore
    // Keras refuses a file whose learning rate is an int.
    expect((await written(net({ loss: 'huber_loss', optimizer: { class_name: 'SGD', config: { learning_rate: 1 } } }))).native).toMatchObject({ loss: 'huber', optimizer: { class_name: 'RMSprop', config: {} } }); // prettier-ignore
    const schedule = { class_name: 'ExponentialDecay', config: { initial_learning_rate: 0.1 } };
    expect((await written(net({ loss: 'mse', optimizer: { class_name: 'SGD', config: { learning_rate: schedule } } }))).native).toMatchObject({ optimizer: { class_name: 'RMSprop' } }); // prettier-ignore
  });
});

it('a model without weights reads back from both formats', async () => {
  const layers = [
    layer('MaxPooling2D', { pool_size: [2, 2], batch_input_shape: [null, 4, 4, 1] }),
    layer('Flatten', {}),
  ];
  const model = builtModel({ class_name: 'Sequential', config: { name: 'm', layers } });
  for (const again of (await written(model)).read) expect(again).toMatchObject({ weights: [] });
});
