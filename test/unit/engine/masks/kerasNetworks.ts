/** The networks with masks that Keras 3.15 computed (test/fixtures/keras/masks). */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { buildHdf5 } from '../../../../daemon/model/files/hdf5.js';
import type { LayersModel } from '../../../../daemon/model/model.js';
import { readKerasZip } from '../../../../daemon/model/files/readKeras.js';

export interface KerasNetwork {
  readonly id: string;
  readonly config: object;
  readonly weights: readonly { readonly path: string; readonly shape: number[]; readonly values: number[] }[];
  readonly samples: number;
  readonly inputs: readonly number[][];
  readonly output: readonly number[];
  readonly target: readonly number[];
  readonly classWeights?: readonly number[];
  /** Values in evaluation and in training. */
  readonly loss: number;
  readonly trainingLoss: number;
  /** Weights after one step of SGD. */
  readonly outputAfter: readonly number[];
}

export const kerasNetworks = JSON.parse(
  gunzipSync(readFileSync('test/fixtures/keras/masks/masks.json.gz')).toString(),
) as KerasNetwork[];

/** Through the product's own reader. */
export async function readNetwork({ id, config, weights }: KerasNetwork): Promise<LayersModel> {
  const data = await buildHdf5((h5) => {
    const groups = new Set<string>();
    for (const { path, shape, values } of weights) {
      path.split('/').slice(0, -1).forEach((_, i, parts) => {
        const group = parts.slice(0, i + 1).join('/');
        if (!groups.has(group)) h5.group(group);
        groups.add(group);
      });
      h5.tensor(path, { shape, data: Float32Array.from(values) } as never);
    }
  }); // prettier-ignore
  const files = { 'config.json': strToU8(JSON.stringify(config)), 'metadata.json': strToU8('{"keras_version":"3.15.1"}'), 'model.weights.h5': data }; // prettier-ignore
  return readKerasZip(zipSync(files, { level: 0 }), `${id}.keras`);
}
