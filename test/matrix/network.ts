/** A network of the reference as a Keras 3 file, read through the product's own reader. */
import { zipSync } from 'fflate';
import { buildHdf5 } from '../../daemon/model/files/hdf5.js';
import type { LayersModel } from '../../daemon/model/model.js';
import { readKerasZip } from '../../daemon/model/files/readKeras.js';

export interface Weight {
  readonly path: string;
  readonly shape: readonly number[];
  readonly seed: number;
  readonly scale: number;
  readonly offset: number;
  readonly trainable: boolean;
}

/** A case as reference/main.py prints it. */
export interface Case {
  readonly id: string;
  readonly shapes: readonly (readonly number[])[];
  /** Above 0: inputs are whole numbers below it. */
  readonly whole: number;
  readonly config: object;
  readonly weights: readonly Weight[];
  /** The loss in training, regularizers included. Absent if nothing is compared in training. */
  readonly loss?: number;
  /** The gradients of `some` of each trainable weight, in the file's order. */
  readonly gradients?: readonly (readonly number[])[];
}

export const BATCH = 3;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

interface Law {
  readonly scale?: number;
  readonly offset?: number;
  readonly whole?: boolean;
}

/** reference/values.py again. */
export function values(size: number, seed: number, { scale = 1, offset = 0, whole = false }: Law = {}): Float32Array {
  let state = (Math.imul(seed, 2654435761) + 12345) >>> 0;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const u = (state >>> 8) / 2 ** 23 - 1;
    return whole ? Math.floor((scale * (u + 1)) / 2) : offset + scale * u;
  });
}

export const weightValues = ({ shape, seed, scale, offset }: Weight): Float32Array =>
  values(sizeOf(shape), seed, { scale, offset });

export const inputsOf = ({ shapes, whole }: Case): Float32Array[] =>
  shapes.map((shape, i) => values(BATCH * sizeOf(shape), i + 1, whole > 0 ? { scale: whole, whole: true } : {}));

/** reference/network.py, `some`. */
export const some = (size: number, most: number): number[] => {
  const step = Math.ceil(size / most);
  return Array.from({ length: Math.ceil(size / step) }, (_, i) => i * step);
};

/** @throws UserError if the product refuses it. */
export async function readCase({ id, config, weights }: Case): Promise<LayersModel> {
  const data = await buildHdf5((h5) => {
    h5.group('layers');
    for (const weight of weights) {
      h5.group(weight.path.slice(0, weight.path.lastIndexOf('/')));
      h5.tensor(weight.path, { shape: weight.shape, data: weightValues(weight) } as never);
    }
  });
  const text = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));
  const zip = zipSync({ 'config.json': text(config), 'metadata.json': text({ keras_version: '3.15.0' }), 'model.weights.h5': data }, { level: 0 }); // prettier-ignore
  return readKerasZip(zip, `${id}.keras`);
}
