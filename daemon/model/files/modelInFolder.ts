/** The one model of a folder that this product wrote: a run's result, its reference, a point of its path. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Model } from '../model.js';

const NAMES: Readonly<Record<Model['kind'], string>> = { layers: 'model.json', graph: 'model.onnx' };

/** Where a model is written in its folder. */
export const modelPathIn = (folder: string, { kind }: Pick<Model, 'kind'>): string => join(folder, NAMES[kind]);

/** Path of the model in a folder; null where there is none. */
export async function findModelIn(folder: string): Promise<string | null> {
  for (const name of Object.values(NAMES)) {
    const path = join(folder, name);
    if ((await stat(path).catch(() => null))?.isFile()) return path;
  }
  return null;
}

/** The same for messages about a finished run, whose result is there. */
export const resultModel = async (folder: string): Promise<string> =>
  (await findModelIn(join(folder, 'result'))) ?? join(folder, 'result', NAMES.layers);
