/** The shipped model, which has memorised its training images, gets the scale of its training, x/255, for any part of MNIST and any seed. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDataset } from '../../daemon/data/openDataset.js';
import type { EngineSession } from '../../daemon/engine/engine.js';
import { openEngine } from '../../daemon/engine/registry.js';
import { readModel } from '../../daemon/model/files/readModel.js';
import { trainingSetup, type TrainingSetup } from '../../daemon/model/setup/trainingSetup.js';
import { mapByReference } from '../../daemon/trainer/dataMapping.js';
import { dataConfig } from '../unit/data/fixtures.js';

const workspace = resolve('.');
let setup: TrainingSetup;
let session: EngineSession;

beforeAll(async () => {
  const model = await readModel(resolve('examples/lenet300/model.json'), { workspace });
  setup = trainingSetup(model);
  const spec = { loss: setup.loss, classification: true, batchSize: 256, purpose: 'inference', seed: 0 } as const;
  session = await openEngine('native-cpu', model, spec);
});
afterAll(() => session.dispose());

it.each([
  [500, [0, 1, 2, 3, 4, 5, 6]],
  [3_000, [0, 1, 2, 3, 4, 5, 6]],
  [20_000, [0, 1, 2, 3, 4, 5, 6]],
  [40_000, [0, 3]],
])('of %d images, the seeds %j', async (limit, seeds) => {
  for (const seed of seeds) {
    // A validation part makes the training part another with every seed.
    const config = dataConfig('mnist', { limit, scale: 'auto', validation: 0.1 });
    const dataset = await openDataset(config, setup, { workspace, seed });
    const choice = await mapByReference({ scale: 'auto' }, dataset, session, setup);
    expect(choice.dataset.mapping.preprocess, `seed ${seed}`).toEqual({ scale: 'unit', mean: 'none' });
    expect(choice.unusual).toBe(false);
    dataset.close();
  }
}, 120_000); // prettier-ignore
