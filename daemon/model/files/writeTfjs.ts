/** Writes a model that plain `tf.loadLayersModel` loads. */
import { createHash } from 'node:crypto';
import { readdir, unlink } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { writeFileAtomic } from '../../files/atomicWrite.js';
import { withoutHalfPixelCentres } from '../normalise/bilinearUpSampling.js';
import { isObject } from '../layers/layerConfig.js';
import type { LayersModel, WeightTensor } from '../model.js';

/** Shard size of TensorFlow.js. */
const SHARD_BYTES = 4 * 1024 * 1024;

function encode({ dtype, data }: WeightTensor): Uint8Array {
  if (dtype === 'float32') return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (dtype === 'int32') return new Uint8Array(Int32Array.from(data).buffer);
  return Uint8Array.from(data, (value) => (value === 0 ? 0 : 1));
}

/** Shards of earlier saves of the same model.json. */
async function removeOldShards(folder: string, stem: string, keep: ReadonlySet<string>): Promise<void> {
  const old = new RegExp(`^${stem.replaceAll('.', '\\.')}\\.[0-9a-f]{8}\\.shard\\d+of\\d+\\.bin$`);
  for (const name of await readdir(folder)) {
    if (old.test(name) && !keep.has(name)) await unlink(join(folder, name)).catch(() => undefined);
  }
}

/**
 * Removes constraints: TensorFlow.js applies a weight's constraint to the values that it loads (LayerVariable.write), and would change what was
 * trained and pruned without it. Constraints are not applied in training here, and Keras applies them only in training.
 */
function withoutConstraints(value: unknown): unknown {
  if (Array.isArray(value)) return (value as unknown[]).map(withoutConstraints);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, /_?constraint$/i.test(key) ? null : withoutConstraints(item)]),
  );
}

/**
 * The content of a model.json. The training settings are under Keras's own key: with `trainingConfig`, TensorFlow.js would compile the model while it
 * loads, and fail on every loss, metric and optimizer of Keras that it does not have.
 */
export const layersModel = (model: LayersModel, weightsManifest: readonly object[]): object => ({
  format: 'layers-model',
  generatedBy: 'LC Prune',
  convertedBy: null,
  modelTopology: withoutConstraints(withoutHalfPixelCentres(model.topology)),
  ...(model.trainingConfig === undefined ? {} : { training_config: model.trainingConfig }),
  weightsManifest,
});

/**
 * Writes `model` as a TensorFlow.js layers-model: shards of 4 MB beside `jsonPath`, then the JSON itself, each atomically.
 * Shards have a hash of their content in their names, so a crash in between leaves an earlier save complete and readable, and two models in one
 * folder never share a shard.
 * @param jsonPath absolute; its folder exists and has been checked to lie inside the workspace.
 * @throws UserError('disk').
 */
export async function writeTfjsModel(model: LayersModel, jsonPath: string): Promise<void> {
  const folder = dirname(jsonPath);
  // Loaders append these names to URLs without escaping.
  const stem = basename(jsonPath, extname(jsonPath)).replace(/[^A-Za-z0-9._-]/g, '_');
  const bytes = Buffer.concat(model.weights.map(encode));
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
  const count = Math.max(1, Math.ceil(bytes.byteLength / SHARD_BYTES));
  const paths = Array.from({ length: count }, (_, i) => `${stem}.${hash}.shard${i + 1}of${count}.bin`);
  for (const [i, path] of paths.entries()) {
    await writeFileAtomic(join(folder, path), bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES));
  }
  const weights = model.weights.map(({ name, shape, dtype }) => ({ name, shape, dtype }));
  const json = layersModel(model, [{ paths, weights }]);
  await writeFileAtomic(jsonPath, `${JSON.stringify(json, null, 2)}\n`);
  await removeOldShards(folder, stem, new Set(paths));
}
