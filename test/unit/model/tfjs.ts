/** TensorFlow.js itself, as the independent reader and writer of models. */
import '@tensorflow/tfjs-backend-cpu';
// Recurrent layers need the chained ops (`rMat.flatten`), which core and layers alone do not register.
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { realpath } from 'node:fs/promises';
import { afterAll } from 'vitest';

export { tf, tfl };

/** A fresh folder, removed when the test file ends. */
export async function scratch(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'lcprune-model-')));
  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

interface Json {
  modelTopology: unknown;
  weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
}

/** Plain tf.loadLayersModel of files on disk. */
export async function loadPlain(jsonPath: string): Promise<tfl.LayersModel> {
  const json = JSON.parse(await readFile(jsonPath, 'utf8')) as Json;
  const buffers: Buffer[] = [];
  for (const group of json.weightsManifest) {
    for (const path of group.paths) buffers.push(await readFile(join(dirname(jsonPath), path)));
  }
  const all = Buffer.concat(buffers);
  return tfl.loadLayersModel({
    load: async () => ({
      modelTopology: json.modelTopology as object,
      weightSpecs: json.weightsManifest.flatMap((group) => group.weights),
      weightData: all.buffer.slice(all.byteOffset, all.byteOffset + all.byteLength) as ArrayBuffer,
    }),
  });
}

/** Saves a model as TensorFlow.js does. @returns the path of its model.json. */
export async function savePlain(model: tfl.LayersModel, folder: string, shardBytes = 4 * 1024 * 1024): Promise<string> {
  const path = join(folder, 'model.json');
  await model.save({
    save: async (artifacts) => {
      const data = Buffer.from(tf.io.CompositeArrayBuffer.join(artifacts.weightData));
      const count = Math.max(1, Math.ceil(data.length / shardBytes));
      const paths = Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`);
      for (const [i, name] of paths.entries()) {
        await writeFile(join(folder, name), data.subarray(i * shardBytes, (i + 1) * shardBytes));
      }
      const json = {
        format: 'layers-model',
        generatedBy: 'TensorFlow.js tfjs-layers',
        modelTopology: artifacts.modelTopology,
        weightsManifest: [{ paths, weights: artifacts.weightSpecs }],
      };
      await writeFile(path, JSON.stringify(json));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    },
  });
  return path;
}

/** Largest absolute difference. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
}
